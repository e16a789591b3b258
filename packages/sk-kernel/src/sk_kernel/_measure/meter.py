"""Measure how a worker spends its time, with a few clock readings per batch."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from sk_kernel._measure.times import Times
from sk_kernel._measure.totals import Totals


class Meter:
    """Divides a worker's time since the meter was created into three parts. Thread-safe.

    Between :meth:`work` and :meth:`rest` the worker is busy, except while its sends block: that is
    backpressure. The time outside of work while its source is on :meth:`hold` is backpressure, too.
    All other time is idle.

    :param clock: a monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._busy = self._held = self._idle = 0.0
        self._since = clock()
        self._is_busy = self._is_held = False
        self._blocked = self._unpaid = 0.0
        self._batch, self._latency = Times(), Times()
        self._under_way: deque[tuple[int, float]] = deque()

    def work(self) -> None:
        """Note that the worker begins to work."""
        with self._lock:
            self._turn()
            self._is_busy = True

    def rest(self, blocked: float = 0.0) -> None:
        """Note that the worker has done its work.

        :param blocked: for how many seconds in all its sends have blocked since its start.
        """
        with self._lock:
            self._unpaid += blocked - self._blocked
            self._blocked = blocked
            self._turn()
            self._is_busy = False

    def hold(self) -> None:
        """Note that the source stops reading until downstream workers have caught up."""
        with self._lock:
            self._turn()
            self._is_held = True

    def go_on(self) -> None:
        """Note that the source may read again."""
        with self._lock:
            self._turn()
            self._is_held = False

    def worked_off(self, seconds: float) -> None:
        """Note that this worker has finished a batch, which took it so many seconds."""
        with self._lock:
            self._batch.add(seconds)

    def was_read(self, number: int) -> None:
        """Note that the source has read the batch with this number: its latency begins."""
        with self._lock:
            self._under_way.append((number, self._clock()))

    def was_done(self, number: int) -> None:
        """Note that all workers have finished the batches up to this number: their latency ends."""
        with self._lock:
            now, under_way = self._clock(), self._under_way
            while under_way and under_way[0][0] <= number:
                self._latency.add(now - under_way.popleft()[1])

    def totals(self) -> Totals:
        """Return the measurements so far; fields that a meter does not measure are 0."""
        with self._lock:
            self._turn()
            return Totals(
                busy_seconds=self._busy,
                idle_seconds=self._idle,
                backpressured_seconds=self._held,
                batch=self._batch.seen(),
                latency=self._latency.seen(),
            )

    def _turn(self) -> None:
        """Add the time since the last call to the state that the worker was in."""
        now = self._clock()
        spent, self._since = now - self._since, now
        if self._is_busy:
            # The time that a send blocked is only known afterwards. If totals() has already counted
            # part of it as busy, that stays, since the totals must never decrease; the excess is
            # deducted from later busy time.
            held = min(spent, self._unpaid)
            self._unpaid -= held
            self._held += held
            self._busy += spent - held
        elif self._is_held:
            self._held += spent
        else:
            self._idle += spent
