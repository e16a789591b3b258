"""Measurements of a worker's work, as values that can be added."""

from __future__ import annotations

from itertools import zip_longest
from typing import Final

import msgspec

SECONDS_BOUNDS: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
"""The upper bounds of a histogram of times, in seconds; one more bucket holds longer times."""


class Histogram(msgspec.Struct, frozen=True):
    """How many measured times are in each bucket, and the sum of all times, in seconds.

    ``counts`` has one number for each of :data:`SECONDS_BOUNDS`, of the times that are at most as
    long and longer than the bound before, and one for those beyond the last. It is empty if nothing
    has been measured.
    """

    counts: tuple[int, ...] = ()
    sum: float = 0.0

    @property
    def count(self) -> int:
        """The number of measured times."""
        return sum(self.counts)

    def __add__(self, other: Histogram) -> Histogram:
        pairs = zip_longest(self.counts, other.counts, fillvalue=0)
        return Histogram(tuple(a + b for a, b in pairs), self.sum + other.sum)


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The work of a worker so far: sums, which only grow.

    ``records_in`` were given to its nodes and ``records_out`` passed on by them; records processed
    again after a restart count again. Three times add up to the time since the worker was ready:
    ``busy_seconds`` working, ``backpressured_seconds`` held back by downstream workers, and
    ``idle_seconds`` waiting for batches or for its source. ``cpu_seconds`` is the processor time of
    its process. ``batch`` holds the time that this worker spent on each batch. ``latency`` (only of
    the source's worker) holds the time of each batch from the source's read until the last worker
    has finished it.
    """

    records_in: int = 0
    records_out: int = 0
    dead_lettered: int = 0
    skipped: int = 0
    busy_seconds: float = 0.0
    idle_seconds: float = 0.0
    backpressured_seconds: float = 0.0
    cpu_seconds: float = 0.0
    batch: Histogram = Histogram()
    latency: Histogram = Histogram()

    def __add__(self, other: Totals) -> Totals:
        names = self.__struct_fields__
        return Totals(**{name: getattr(self, name) + getattr(other, name) for name in names})
