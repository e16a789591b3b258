"""The account of a deferred exporter: how many of the items that it took were sent or lost."""

from __future__ import annotations

import threading
from collections import Counter


class Account:
    """Counts of the items that a `DeferredExporter` has sent and lost. Safe in any thread."""

    def __init__(self) -> None:
        self._exported = 0
        self._dropped: Counter[str] = Counter()
        self._lock = threading.Lock()

    def sent(self, count: int) -> None:
        """Count `count` items as sent."""
        with self._lock:
            self._exported += count

    def lost(self, count: int, reason: str) -> None:
        """Count `count` items as lost; `reason` is short, and one of a few."""
        with self._lock:
            self._dropped[reason] += count

    def state(self) -> tuple[int, dict[str, int]]:
        """Return the number of sent items and the lost ones by reason, both of the same moment."""
        with self._lock:
            return self._exported, {reason: n for reason, n in self._dropped.items() if n}
