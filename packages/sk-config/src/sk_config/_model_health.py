"""`runtime.platform.health`: what answers probes, and the delay between a stop and its drain."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Address, Delay, Port
from sk_config._finding import Finding
from sk_config._rules import health_findings


class HealthListenerConfig(ConfigModel):
    """Where a listener for probes listens. It tells anybody how the run is, and takes no orders."""

    bind_host: Address = Field(
        default="127.0.0.1",
        description="The address to listen on, of any interface: 0.0.0.0, or the pod's own",
    )
    bind_port: Port = Field(default=0, description="The port to listen on; 0 takes a free one")


class HealthConfig(ConfigModel):
    """Startup, liveness and readiness for an orchestrator. Off unless a listener is given."""

    http: HealthListenerConfig | None = Field(
        default=None,
        description="Answers /startupz, /livez and /readyz over HTTP; null: nothing does",
    )
    grpc: HealthListenerConfig | None = Field(
        default=None, description="Answers grpc.health.v1; null: nothing does"
    )
    drain_delay_seconds: Delay = Field(
        default=0,
        description="Seconds from a request to stop, at which readiness ends, to the drain",
    )

    @property
    def enabled(self) -> bool:
        """Whether anything listens."""
        return self.http is not None or self.grpc is not None

    def _broken_rules(self) -> Iterable[Finding]:
        return health_findings(self.model_dump())
