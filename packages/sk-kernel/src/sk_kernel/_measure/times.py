"""Collect measured times one by one."""

from __future__ import annotations

from bisect import bisect_left

from sk_kernel._measure.totals import SECONDS_BOUNDS, Histogram


class Times:
    """Collects measured times, in seconds, into a :class:`Histogram`."""

    def __init__(self) -> None:
        self._counts, self._sum = [0] * (len(SECONDS_BOUNDS) + 1), 0.0

    def add(self, seconds: float) -> None:
        """Add a measured time."""
        self._counts[bisect_left(SECONDS_BOUNDS, seconds)] += 1
        self._sum += seconds

    def seen(self) -> Histogram:
        """Return the histogram of all times; an empty one if there are none."""
        return Histogram(tuple(self._counts), self._sum) if any(self._counts) else Histogram()
