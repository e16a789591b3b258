"""What has been measured of the work, in values that add up."""

from __future__ import annotations

from itertools import zip_longest
from typing import Final

import msgspec

SECONDS_BOUNDS: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
"""The upper bounds of a histogram of times, in seconds; one more bucket takes what is longer."""


class Histogram(msgspec.Struct, frozen=True):
    """How many measured times are in each bucket, and the sum of all of them, in seconds.

    ``counts`` has one number for each of :data:`SECONDS_BOUNDS`, of the times that are at most as
    long and longer than the bound before, and one for those beyond the last. It is empty where
    nothing has been measured.
    """

    counts: tuple[int, ...] = ()
    sum: float = 0.0

    @property
    def count(self) -> int:
        """How many have been measured."""
        return sum(self.counts)

    def __add__(self, other: Histogram) -> Histogram:
        pairs = zip_longest(self.counts, other.counts, fillvalue=0)
        return Histogram(tuple(a + b for a, b in pairs), self.sum + other.sum)


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker has done so far: sums, which only grow.

    ``records_in`` were handed to its nodes, ``records_out`` passed on by them; what is worked off
    again behind a restart counts again. The three times make up its life since it was ready:
    ``busy`` in work, ``backpressured`` held back by those downstream, ``idle`` in waiting for
    batches or for its source. ``cpu_seconds`` is its process's. ``batch`` holds how long each batch
    was in work here, ``latency`` (of the source's worker only) how long each took from the source's
    reading until the last worker was done with it.
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
