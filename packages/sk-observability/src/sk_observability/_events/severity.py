"""The severity of an event: its level, or more for some events. All exporters share the table."""

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
"""Events of level info, which no configured level excludes, that need attention."""


def severity_of(event: LifecycleEvent) -> Severity:
    """Return the event's severity, which log lines show as `level`."""
    return ABOVE_ITS_LEVEL.get(event.name, event.level)
