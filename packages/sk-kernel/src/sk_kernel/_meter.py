"""Measuring a worker's work: a few looks at the clock for each batch, and none for a record."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable

from sk_kernel._totals import SECONDS_BOUNDS, Histogram, Totals


class _Times:
    """A histogram that is filled."""

    def __init__(self) -> None:
        self._counts, self._sum = [0] * (len(SECONDS_BOUNDS) + 1), 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(SECONDS_BOUNDS, seconds)] += 1
        self._sum += seconds

    def seen(self) -> Histogram:
        return Histogram(tuple(self._counts), self._sum) if any(self._counts) else Histogram()


class Meter:
    """Measures one worker, from its making on. Thread-safe.

    A worker that works is busy, but for the time in which it could not send; one that does not is
    backpressured while its source is held, and otherwise idle.

    :param clock: seconds, of a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._busy = self._held = self._idle = 0.0
        self._since = clock()
        self._is_busy = self._is_held = False
        self._blocked = self._unpaid = 0.0
        self._records = 0
        self._batch, self._latency = _Times(), _Times()
        self._under_way: deque[tuple[int, float]] = deque()

    def work(self) -> None:
        """There is something to do."""
        with self._lock:
            self._turn()
            self._is_busy = True

    def rest(self, blocked: float = 0.0) -> None:
        """It is done; ``blocked`` is for how many seconds, in all its life, it could not send."""
        with self._lock:
            self._unpaid += blocked - self._blocked
            self._blocked = blocked
            self._turn()
            self._is_busy = False

    def hold(self) -> None:
        """The source must not read on before those downstream are further."""
        with self._lock:
            self._turn()
            self._is_held = True

    def go_on(self) -> None:
        """It may."""
        with self._lock:
            self._turn()
            self._is_held = False

    def worked_off(self, records: int, seconds: float) -> None:
        """A batch of so many records is done here, and was so long in work."""
        with self._lock:
            self._records += records
            self._batch.add(seconds)

    def was_read(self, number: int) -> None:
        """The source has read a batch."""
        with self._lock:
            self._under_way.append((number, self._clock()))

    def was_done(self, number: int) -> None:
        """Every batch up to this one is done with, everywhere."""
        with self._lock:
            now, under_way = self._clock(), self._under_way
            while under_way and under_way[0][0] <= number:
                self._latency.add(now - under_way.popleft()[1])

    def totals(self) -> Totals:
        """What has been measured until now."""
        with self._lock:
            self._turn()
            return Totals(
                records_in=self._records,
                busy_seconds=self._busy,
                idle_seconds=self._idle,
                backpressured_seconds=self._held,
                batch=self._batch.seen(),
                latency=self._latency.seen(),
            )

    def _turn(self) -> None:
        now = self._clock()
        spent, self._since = now - self._since, now
        if self._is_busy:
            # What was told as busy in the midst of a blocked send stays so; what follows pays.
            held = min(spent, self._unpaid)
            self._unpaid -= held
            self._held += held
            self._busy += spent - held
        elif self._is_held:
            self._held += spent
        else:
            self._idle += spent
