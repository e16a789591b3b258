"""Rejections of both listeners (data and control): all counted, and reported at a bounded rate."""

from __future__ import annotations

import threading
from collections import Counter
from math import inf

from sk_kernel import EventRail

#: The shortest time between two events, however much is rejected.
EVENT_SECONDS = 1.0


class Refusals:
    """Counts by ``plane.category``, and an alarm of the loop that emits new ones as one event.

    :meth:`add` and :meth:`totals` are safe in any thread; the rest is for the loop's thread.
    """

    def __init__(self, log: EventRail) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._totals: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._next = -inf

    def add(self, plane: str, category: str) -> bool:
        """Count a rejection; return whether it is the first since the last event."""
        with self._lock:
            first = self._totals == self._told
            self._totals[f"{plane}.{category}"] += 1
            return first

    def totals(self) -> dict[str, int]:
        """The numbers of rejections so far, by plane and category."""
        with self._lock:
            return dict(sorted(self._totals.items()))

    def due(self) -> float | None:
        """When the next event is due; None while there is nothing to report."""
        with self._lock:
            return None if self._totals == self._told else self._next

    def tell_rest(self) -> None:
        """Emit an event for the rejections not yet reported, if any, at the end of the run."""
        if self.due() is not None:
            self.ring(inf)

    def ring(self, now: float) -> None:
        """Emit an event for the rejections since the last; none for ``EVENT_SECONDS`` after it."""
        with self._lock:
            new = self._totals - self._told
            self._told = self._totals.copy()
            self._next = now + EVENT_SECONDS
        self._log.emit("refused", fields=dict(sorted(new.items())))
