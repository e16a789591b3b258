"""Timed waits of a stop: time in which the process was suspended does not count."""

from __future__ import annotations

import time
from collections.abc import Callable

from sk_supervisor._lives.clock import LoopClock, paused_seconds, wait_until


class SharedClock(LoopClock):
    """The clock of a process that runs nodes too, which may hold the interpreter for long.

    A wait that ends late for that reason is no suspension: a suspended process uses no CPU time.

    :param worked: the CPU time of the process.
    """

    def __init__(
        self,
        seconds: Callable[[], float] = time.monotonic,
        worked: Callable[[], float] = time.process_time,
    ) -> None:
        super().__init__(seconds)
        self._cpu, self._worked = worked, worked()

    def waited(self, began: float, until: float | None) -> float:
        """Leave out a wait in which the process was suspended, but not the time that it worked."""
        before, self._worked = self._worked, self._cpu()
        late = paused_seconds(began, until, self.now())
        paused = max(late - (self._worked - before), 0.0)
        self.paused += paused
        return paused


def passes(seconds: float, ended: Callable[[float], bool], clock: LoopClock) -> bool:
    """Wait for so many seconds of the clock; return False if the wait was ended before.

    :param ended: waits for at most so many seconds; True if it was woken.
    :param clock: used by this thread only.
    """
    last = clock.now() + seconds
    while (now := clock.now()) < last:
        until = wait_until(now, [last])
        if ended(last - now if until is None else until - now):
            return False
        clock.waited(now, until)
    return True
