"""How a run is seen from outside: its metrics are sent, and probes and scrapes are answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sk_kernel import BootstrapSupervisor

from sk_supervisor._health.answering import answering
from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._telemetry.measuring import measuring
from sk_supervisor._telemetry.rails import Rails


@contextmanager
def exposing(prepared: Prepared, supervisor: BootstrapSupervisor, rails: Rails) -> Iterator[None]:
    """Let the run be seen inside the block, as its configuration says.

    :raises HealthBindError: when an address cannot be had.
    """
    with (
        measuring(prepared, supervisor, rails) as take,
        answering(prepared, supervisor, rails.log, take),
    ):
        yield
