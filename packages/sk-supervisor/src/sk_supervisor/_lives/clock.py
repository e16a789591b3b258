"""The clock of every deadline in a run over processes: it leaves out suspensions of the supervisor.

The monotonic clock goes on while a process is suspended (Ctrl-Z, a debugger, a frozen container),
and the process is not notified. It can only notice that a wait took longer than planned. A
suspension that ends before the wait would have ended cannot be detected. So while a deadline is
pending no wait is long. This adds no wake-ups to a run that works: every worker sends a heartbeat
each second, which ends the wait sooner.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

LONGEST_WAIT_SECONDS: Final = 1.0
#: A loop that wakes this much too late was suspended; a busy machine delays it less.
_LATE_SECONDS: Final = 1.0


class LoopClock:
    """Monotonic seconds, less those in which the process was suspended. Any thread may read it.

    ``paused`` is the sum of the suspensions so far. Until the loop has noticed one, other threads
    still read a time that includes it.

    :param seconds: the monotonic clock.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self.paused = 0.0

    def now(self) -> float:
        """The time of this clock."""
        return self._seconds() - self.paused

    def of(self, monotonic: float) -> float:
        """Convert a time of the monotonic clock, by the suspensions noticed so far."""
        return monotonic - self.paused

    def waited(self, began: float, until: float | None) -> float:
        """Leave out a wait in which the process was suspended; return its seconds, or 0.

        Only the loop calls this, after each wait.

        :param until: when the wait was to end; None for a wait without an end.
        """
        paused = paused_seconds(began, until, self.now())
        self.paused += paused
        return paused


def wait_until(began: float, dues: Sequence[float]) -> float | None:
    """Return when a wait that begins now must end; None if no deadline is pending.

    :param dues: the pending deadlines.
    """
    return max(began, min(*dues, began + LONGEST_WAIT_SECONDS)) if dues else None


def paused_seconds(began: float, until: float | None, woke: float) -> float:
    """Return how long the process was suspended; 0 if it was not.

    The whole wait is counted, up to :data:`LONGEST_WAIT_SECONDS` too much: leaving out too much
    does no harm, leaving out too little would.
    """
    return woke - began if until is not None and woke - until >= _LATE_SECONDS else 0.0
