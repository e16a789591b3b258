"""Whether and when a failed worker is restarted. Pure: clock and random numbers are passed in.

The policy is that of an OTP supervisor: it allows ``intensity`` restarts within ``period_seconds``
and gives up at the next failure. Repeated failures with one cause (a record that kills every worker
that processes it) reach that limit; rare ones (a machine that is now and then short of memory)
never do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sk_config import RestartConfig

#: A delay is shortened at random by up to this share of it, so that groups that fail together do
#: not restart together.
_JITTER = 0.5
#: After this many doublings every delay is the longest one.
_MOST_DOUBLINGS = 60


class Restart(NamedTuple):
    """Start the successor with number ``attempt`` of the period after ``delay_seconds``."""

    attempt: int
    delay_seconds: float


class GiveUp(NamedTuple):
    """A worker failed again after ``restarts`` within ``period_seconds``."""

    restarts: int
    period_seconds: float

    def __str__(self) -> str:
        restarts = "1 restart" if self.restarts == 1 else f"{self.restarts} restarts"
        return f"gave up after {restarts} in {self.period_seconds:g} s"


def backoff(policy: RestartConfig, attempt: int) -> float:
    """Return the delay of a period's ``attempt``-th restart, counted from 1, before any jitter."""
    doublings = min(attempt - 1, _MOST_DOUBLINGS)
    return min(policy.backoff_max_seconds, policy.backoff_seconds * 2.0**doublings)


@dataclass(slots=True)
class RestartHistory:
    """The restarts of one group, by the times at which they were due.

    :param chance: returns random numbers from 0 up to, but not including, 1.
    """

    policy: RestartConfig
    chance: Callable[[], float]
    _due: list[float] = field(default_factory=list)

    def failed(self, now: float) -> Restart | GiveUp:
        """Return what to do after a failure at ``now``; a restart is counted."""
        since = now - self.policy.period_seconds
        self._due = [due for due in self._due if due > since]
        restarts = len(self._due)
        if restarts >= self.policy.intensity:
            return GiveUp(restarts, self.policy.period_seconds)
        delay = backoff(self.policy, restarts + 1) * (1 - _JITTER * self.chance())
        self._due.append(now + delay)
        return Restart(restarts + 1, delay)


def seeded_chance(run_id: str, group: str) -> Callable[[], float]:
    """Return a source of random numbers that is the same in every run with that id."""
    return Random(f"{run_id}/{group}").random  # noqa: S311 - not used for security
