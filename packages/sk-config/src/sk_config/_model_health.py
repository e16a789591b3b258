"""`runtime.platform.health`: health endpoints, and the delay between a stop and its drain."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Address, Delay, Port
from sk_config._finding import Finding
from sk_config._rules import health_findings


class HealthListenerConfig(ConfigModel):
    """Address of a health endpoint. It shows the run's state to anybody, and changes nothing."""

    bind_host: Address = Field(
        default="127.0.0.1",
        description="IP address to listen on: of one interface, such as the pod's, or 0.0.0.0",
    )
    bind_port: Port = Field(default=0, description="Port to listen on; 0 takes a free one")


class HealthConfig(ConfigModel):
    """Health endpoints for an orchestrator: startup, liveness, readiness. Off by default."""

    http: HealthListenerConfig | None = Field(
        default=None,
        description="HTTP endpoint: `/startupz`, `/livez` and `/readyz`; null: off",
    )
    grpc: HealthListenerConfig | None = Field(
        default=None, description="Endpoint for `grpc.health.v1`; null: off"
    )
    drain_delay_seconds: Delay = Field(
        default=0,
        description="Seconds between the end of readiness and the drain, so that clients notice",
    )

    @property
    def enabled(self) -> bool:
        """Whether anything listens."""
        return self.http is not None or self.grpc is not None

    def _broken_rules(self) -> Iterable[Finding]:
        return health_findings(self.model_dump())
