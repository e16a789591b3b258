"""How bad an event is, for whoever reads it: its level, or more. One table for every exporter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from sk_kernel import LifecycleEvent

from sk_observability._events.names import EventName

Severity: TypeAlias = Literal["debug", "info", "warn", "error"]

ABOVE_ITS_LEVEL: Final[Mapping[str, Severity]] = {
    EventName.WORKER_FAILED: "error",
    EventName.SUPERVISOR_FORCE_STOP: "warn",
}
"""Events that no configuration keeps out, and that ask for somebody's attention."""


def severity_of(event: LifecycleEvent) -> Severity:
    """Its severity: what a line of a log calls its level."""
    return ABOVE_ITS_LEVEL.get(event.name, event.level)
