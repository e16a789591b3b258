"""Refusals of both listeners: all counted, and told of at a bounded rate."""

from __future__ import annotations

import threading
from collections import Counter
from math import inf

from sk_kernel import EventRail

#: Between two events of refusals there is at least this long, however many are refused.
EVENT_SECONDS = 1.0


class Refusals:
    """Counts by ``plane.category``; an alarm of the loop, which emits what is new as one event.

    :meth:`add` and :meth:`totals` are safe in any thread, the rest is the loop's.
    """

    def __init__(self, log: EventRail) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._totals: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._next = -inf

    def add(self, plane: str, category: str) -> bool:
        """Count one; whether it is the first that the loop does not know of."""
        with self._lock:
            first = self._totals == self._told
            self._totals[f"{plane}.{category}"] += 1
            return first

    def totals(self) -> dict[str, int]:
        """What was refused so far, by plane and category."""
        with self._lock:
            return dict(sorted(self._totals.items()))

    def due(self) -> float | None:
        """When the next event is due; None while there is nothing to tell."""
        with self._lock:
            return None if self._totals == self._told else self._next

    def tell_rest(self) -> None:
        """Tell of what was not told yet, if anything: nothing more can be refused."""
        if self.due() is not None:
            self.ring(inf)

    def ring(self, now: float) -> None:
        """Tell of what was refused since the last time; not again for ``EVENT_SECONDS``."""
        with self._lock:
            new = self._totals - self._told
            self._told = self._totals.copy()
            self._next = now + EVENT_SECONDS
        self._log.emit("refused", fields=dict(sorted(new.items())))
