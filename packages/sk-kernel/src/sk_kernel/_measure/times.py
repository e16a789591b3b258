"""Times as they are measured, one by one."""

from __future__ import annotations

from bisect import bisect_left

from sk_kernel._measure.totals import SECONDS_BOUNDS, Histogram


class Times:
    """Times that were measured, in seconds, to be seen as a :class:`Histogram`."""

    def __init__(self) -> None:
        self._counts, self._sum = [0] * (len(SECONDS_BOUNDS) + 1), 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self._counts[bisect_left(SECONDS_BOUNDS, seconds)] += 1
        self._sum += seconds

    def seen(self) -> Histogram:
        """All of them; empty where there are none."""
        return Histogram(tuple(self._counts), self._sum) if any(self._counts) else Histogram()
