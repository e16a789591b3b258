"""Probes of a run: answered from before its first worker starts until the last one is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from sk_kernel import MEMORY, BootstrapSupervisor
from sk_observability import LifecycleLog

from sk_supervisor._preflight import Prepared


@runtime_checkable
class HasLoop(Protocol):
    """A supervisor whose life is a loop; another one is taken for alive as long as it answers."""

    def ping(self, answer: Callable[[], None]) -> None:
        """Have the loop call ``answer`` at its next turn. Safe in any thread."""


@contextmanager
def answering(
    prepared: Prepared, supervisor: BootstrapSupervisor, log: LifecycleLog
) -> Iterator[None]:
    """Answer probes inside the block, where ``runtime.platform.health`` asks for that.

    :raises HealthBindError: when an address cannot be had.
    """
    config = prepared.config.runtime.platform.health
    if not config.enabled:
        yield
        return
    from sk_supervisor._health_checks import HealthChecks
    from sk_supervisor._health_server import health_server
    from sk_supervisor._pulse_check import PulseCheck

    groups = [g.name for g in prepared.groups] or [MEMORY]
    pulse = PulseCheck(supervisor.ping) if isinstance(supervisor, HasLoop) else None
    with health_server(config, HealthChecks(supervisor.snapshot, groups, pulse)) as addresses:
        log.emit("health_listening", fields=addresses)
        yield
