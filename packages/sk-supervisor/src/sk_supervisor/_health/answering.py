"""Probes and scrapes, answered from before a run's first worker starts until the last has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sk_kernel import BootstrapSupervisor
from sk_kernel.runtime import MEMORY
from sk_observability import LifecycleLog, MetricsSnapshot, prometheus_exposition

from sk_supervisor._plan.preflight import Prepared

if TYPE_CHECKING:
    from sk_supervisor._health.http import Routes


@runtime_checkable
class HasLoop(Protocol):
    """A supervisor with a loop that can be pinged; one without counts as live if it answers."""

    def ping(self, answer: Callable[[], None]) -> None:
        """Make the loop call ``answer`` at its next iteration. Thread-safe."""


@runtime_checkable
class TellsAddresses(Protocol):
    """A supervisor whose status shows the addresses of the health endpoints."""

    def probed_at(self, addresses: Mapping[str, str]) -> None:
        """Set the addresses, by ``http`` and ``grpc``."""


@contextmanager
def answering(
    prepared: Prepared,
    supervisor: BootstrapSupervisor,
    log: LifecycleLog,
    take: Callable[[], MetricsSnapshot],
) -> Iterator[None]:
    """Answer probes inside the block, if ``runtime.platform.health`` is enabled.

    :param take: takes the snapshot for a scrape, if ``runtime.observability.metrics`` enables them.
    :raises HealthBindError: when an address cannot be bound.
    """
    config = prepared.config.runtime.platform.health
    if not config.enabled:
        yield
        return
    from sk_supervisor._health.checks import HealthChecks
    from sk_supervisor._health.pulse_check import PulseCheck
    from sk_supervisor._health.server import health_server

    groups = [g.name for g in prepared.groups] or [MEMORY]
    pulse = PulseCheck(supervisor.ping) if isinstance(supervisor, HasLoop) else None
    checks = HealthChecks(supervisor.snapshot, groups, pulse)
    scraped = prepared.config.runtime.observability.metrics.prometheus
    routes = _metrics_route(take) if scraped else {}
    with health_server(config, checks, routes) as addresses:
        if isinstance(supervisor, TellsAddresses):
            supervisor.probed_at(addresses)
        log.emit("health_listening", fields=addresses)
        yield


def _metrics_route(take: Callable[[], MetricsSnapshot]) -> Routes:
    from sk_supervisor._health.metrics_page import MetricsPage

    return {"/metrics": MetricsPage(take, prometheus_exposition()).answer}
