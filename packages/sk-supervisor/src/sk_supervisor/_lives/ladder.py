"""The stop ladder: its deadlines, under one time budget for all workers together. Pure.

    withdraw   nothing changes but readiness: callers go elsewhere (a time before the budget)
    drain      sources stop, what is in flight drains       (most of the budget)
    stop       workers are asked to end, and acknowledge
    terminate  SIGTERM to each worker's process group
    kill       SIGKILL to each worker's process group

The first two are the run's; a worker takes one of the others. The last two have a fixed share at
the end of the budget, so that the whole stays within it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

#: Seconds kept back for SIGTERM and SIGKILL to take effect, at most a quarter of the budget each.
_TERMINATE_SECONDS = 2.0
_KILL_SECONDS = 1.0


class Rung(IntEnum):
    """How far down the ladder a worker had to go."""

    NONE = 0
    STOP = 1
    TERMINATE = 2
    KILL = 3


@dataclass(frozen=True, slots=True)
class Ladder:
    """Deadlines on one clock, in its seconds."""

    withdraw_until: float
    drain_until: float
    stop_until: float
    terminate_until: float
    kill_until: float

    @classmethod
    def within(
        cls, budget_seconds: float, now: float, *, drain: bool = True, delay_seconds: float = 0.0
    ) -> Ladder:
        """The rungs of a stop that is asked for ``now``; without ``drain`` it begins at *stop*.

        The budget begins behind the delay.
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
        """Nothing but the lowest rung, which begins ``now``."""
        return cls(now, now, now, now, now + seconds)

    def requests_until(self, now: float) -> float:
        """Who is not answered by then, in a drain that begins ``now``, has no more time.

        A stream needs some of it too.
        """
        return now + (self.drain_until - now) / 2

    def no_later_than(self, other: Ladder) -> Ladder:
        """The earlier deadline of each rung."""
        return Ladder(
            min(self.withdraw_until, other.withdraw_until),
            min(self.drain_until, other.drain_until),
            min(self.stop_until, other.stop_until),
            min(self.terminate_until, other.terminate_until),
            min(self.kill_until, other.kill_until),
        )
