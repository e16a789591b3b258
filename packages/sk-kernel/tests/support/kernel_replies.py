"""A clock that is told, and a reply that is one."""

from __future__ import annotations

from sk_kernel import TerminalEvent


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def success(trace_id: str = "t", payload: object = None) -> TerminalEvent:
    return TerminalEvent(trace_id, "success", payload)
