"""Faults that prevent a run from answering the probes and scrapes it is configured for."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from sk_kernel import Fault
from sk_observability import can_expose

if TYPE_CHECKING:
    from sk_config import Config

_NEEDS: Final = {"http": ("h11",), "grpc": ("grpc", "grpc_health")}
_EXTRA: Final = "the extra 'health': pip install 'sk-supervisor[health]'"
_NO_SCRAPES: Final = Fault(
    "runtime.observability.metrics.prometheus",
    "unavailable",
    "the extra 'metrics': pip install 'sk-supervisor[metrics]'",
)


def health_faults(config: Config) -> list[Fault]:
    """A fault for scrapes, and for each listener, whose library is not installed. Imports none."""
    health = config.runtime.platform.health
    wanted = {"http": health.http, "grpc": health.grpc}
    faults = [] if _can_answer_scrapes(config) else [_NO_SCRAPES]
    return faults + [
        Fault(f"runtime.platform.health.{name}", "unavailable", _EXTRA)
        for name, listener in wanted.items()
        if listener is not None and not all(map(find_spec, _NEEDS[name]))
    ]


def _can_answer_scrapes(config: Config) -> bool:
    return can_expose() or not config.runtime.observability.metrics.prometheus
