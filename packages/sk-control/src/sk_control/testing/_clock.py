"""A clock that is set by hand."""

from __future__ import annotations


class ManualClock:
    """A clock in nanoseconds that only `advance` moves. Call it to read it."""

    def __init__(self, now_ns: int = 1_000_000_000_000) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns

    def advance(self, seconds: float) -> None:
        """Move the clock by `seconds`; backwards if they are negative."""
        self.now_ns += round(seconds * 1_000_000_000)
