"""What a worker spends its time on, measured with a few looks at the clock for each batch."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from sk_kernel._measure.times import Times
from sk_kernel._measure.totals import Totals


class Meter:
    """Divides the life of one worker, from the meter's making on, into three times. Thread-safe.

    Between :meth:`work` and :meth:`rest` the worker is busy, but for as long as its sends blocked:
    that is backpressure. So is the time outside of work while its source is on :meth:`hold`. All
    else is idle.

    :param clock: seconds, of a clock that never goes back.
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
        """The worker begins to work."""
        with self._lock:
            self._turn()
            self._is_busy = True

    def rest(self, blocked: float = 0.0) -> None:
        """The worker has done its work.

        :param blocked: for how many seconds its sends have blocked so far, since its start.
        """
        with self._lock:
            self._unpaid += blocked - self._blocked
            self._blocked = blocked
            self._turn()
            self._is_busy = False

    def hold(self) -> None:
        """The source stops reading, until those downstream have done more of what it gave."""
        with self._lock:
            self._turn()
            self._is_held = True

    def go_on(self) -> None:
        """The source may read again."""
        with self._lock:
            self._turn()
            self._is_held = False

    def worked_off(self, seconds: float) -> None:
        """This worker is done with a batch, which took it so many seconds."""
        with self._lock:
            self._batch.add(seconds)

    def was_read(self, number: int) -> None:
        """The source has read the batch with this number: its latency begins."""
        with self._lock:
            self._under_way.append((number, self._clock()))

    def was_done(self, number: int) -> None:
        """Every worker is done with all batches up to this number: their latency ends."""
        with self._lock:
            now, under_way = self._clock(), self._under_way
            while under_way and under_way[0][0] <= number:
                self._latency.add(now - under_way.popleft()[1])

    def totals(self) -> Totals:
        """What has been measured until now; what a meter does not see is 0."""
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
        """Add the time since the last call to what the worker was in meanwhile."""
        now = self._clock()
        spent, self._since = now - self._since, now
        if self._is_busy:
            # A send that blocks is known of only behind it. What totals() has told as busy by then
            # stays so: times never fall. The rest of it is taken out of the busy time to come.
            held = min(spent, self._unpaid)
            self._unpaid -= held
            self._held += held
            self._busy += spent - held
        elif self._is_held:
            self._held += spent
        else:
            self._idle += spent
