"""What an exporter that sends later keeps: how much of what it took has gone out, or is lost."""

from __future__ import annotations

import threading
from collections import Counter


class Account:
    """The fate of the items that a `DeferredExporter` has taken. Safe in any thread."""

    def __init__(self) -> None:
        self._exported = 0
        self._dropped: Counter[str] = Counter()
        self._lock = threading.Lock()

    def sent(self, count: int) -> None:
        """Note that so many items went out."""
        with self._lock:
            self._exported += count

    def lost(self, count: int, reason: str) -> None:
        """Note that so many items will not go out; `reason` is short, and one of few."""
        with self._lock:
            self._dropped[reason] += count

    def state(self) -> tuple[int, dict[str, int]]:
        """How many went out, and how many are lost, by reason: both of one moment."""
        with self._lock:
            return self._exported, {reason: n for reason, n in self._dropped.items() if n}
