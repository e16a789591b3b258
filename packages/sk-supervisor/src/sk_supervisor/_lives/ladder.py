"""The stop ladder: its deadlines, under one time budget for all workers together. Pure.

    withdraw   the run is not ready any more: callers go elsewhere (before the budget begins)
    drain      sources stop, records in flight are processed    (most of the budget)
    stop       workers are asked to end, and acknowledge
    terminate  SIGTERM to each worker's process group
    kill       SIGKILL to each worker's process group

The first two steps are of the run; a worker takes one of the others. The last two have a fixed
share at the end of the budget, so that the whole stop stays within it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

#: Seconds reserved for SIGTERM and SIGKILL to take effect, at most a quarter of the budget each.
_TERMINATE_SECONDS = 2.0
_KILL_SECONDS = 1.0


class Rung(IntEnum):
    """The last step of the stop ladder that a worker needed."""

    NONE = 0
    STOP = 1
    TERMINATE = 2
    KILL = 3


@dataclass(frozen=True, slots=True)
class Ladder:
    """The deadlines of the steps, in seconds of one clock."""

    withdraw_until: float
    drain_until: float
    stop_until: float
    terminate_until: float
    kill_until: float

    @classmethod
    def within(
        cls, budget_seconds: float, now: float, *, drain: bool = True, delay_seconds: float = 0.0
    ) -> Ladder:
        """Return the ladder of a stop requested ``now``; without ``drain`` it begins at *stop*.

        The budget begins after the delay.
        """
        now += delay_seconds
        kill = min(_KILL_SECONDS, budget_seconds / 4)
        terminate = min(_TERMINATE_SECONDS, budget_seconds / 4)
        end = now + budget_seconds
        stop_until = end - kill - terminate
        drain_until = now + (stop_until - now) * 0.8 if drain else now
        return cls(now, drain_until, stop_until, end - kill, end)

    @classmethod
    def at_once(cls, seconds: float, now: float) -> Ladder:
        """Return a ladder with the last step only, which begins ``now``."""
        return cls(now, now, now, now, now + seconds)

    def requests_until(self, now: float) -> float:
        """Return when the requests in flight time out, in a drain that begins ``now``.

        It is half of the drain's time: the stream needs time to drain, too.
        """
        return now + (self.drain_until - now) / 2

    def no_later_than(self, other: Ladder) -> Ladder:
        """Return the earlier deadline of each step."""
        return Ladder(
            min(self.withdraw_until, other.withdraw_until),
            min(self.drain_until, other.drain_until),
            min(self.stop_until, other.stop_until),
            min(self.terminate_until, other.terminate_until),
            min(self.kill_until, other.kill_until),
        )
