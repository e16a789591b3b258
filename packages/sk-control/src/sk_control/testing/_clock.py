"""A clock that stands until it is told."""

from __future__ import annotations


class ManualClock:
    """Nanoseconds that move by `advance` only; called to be read."""

    def __init__(self, now_ns: int = 1_000_000_000_000) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns

    def advance(self, seconds: float) -> None:
        """Move, backwards too."""
        self.now_ns += round(seconds * 1_000_000_000)
