"""Whether and when a failed worker is followed by another. Pure: clock and chance are passed in.

As an OTP supervisor counts it: more than ``intensity`` restarts within ``period_seconds`` are too
many, and then it gives up. What is too often for the one cause (a record that kills whoever takes
it) is never reached by the other (a machine that is short of memory now and then).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sk_config import RestartConfig

#: A wait is shortened by up to this share of it, so that groups that fail together do not come
#: back together.
_JITTER = 0.5
#: Beyond this many doublings every wait is the longest one.
_MOST_DOUBLINGS = 60


class Restart(NamedTuple):
    """Start the ``attempt``-th successor of the period in ``delay_seconds``."""

    attempt: int
    delay_seconds: float


class GiveUp(NamedTuple):
    """There were ``restarts`` within ``period_seconds`` already, and it failed again."""

    restarts: int
    period_seconds: float

    def __str__(self) -> str:
        restarts = "1 restart" if self.restarts == 1 else f"{self.restarts} restarts"
        return f"gave up after {restarts} in {self.period_seconds:g} s"


def backoff(policy: RestartConfig, attempt: int) -> float:
    """How long the ``attempt``-th restart of a period waits, from 1, before any jitter."""
    doublings = min(attempt - 1, _MOST_DOUBLINGS)
    return min(policy.backoff_max_seconds, policy.backoff_seconds * 2.0**doublings)


@dataclass(slots=True)
class RestartHistory:
    """The restarts of one group, by the times that they were due at.

    :param chance: numbers from 0 up to 1.
    """

    policy: RestartConfig
    chance: Callable[[], float]
    _due: list[float] = field(default_factory=list)

    def failed(self, now: float) -> Restart | GiveUp:
        """Decide what follows a failure at ``now``; a restart is counted."""
        since = now - self.policy.period_seconds
        self._due = [due for due in self._due if due > since]
        restarts = len(self._due)
        if restarts >= self.policy.intensity:
            return GiveUp(restarts, self.policy.period_seconds)
        delay = backoff(self.policy, restarts + 1) * (1 - _JITTER * self.chance())
        self._due.append(now + delay)
        return Restart(restarts + 1, delay)


def seeded_chance(run_id: str, group: str) -> Callable[[], float]:
    """A source of chance that is the same in every run of that id."""
    return Random(f"{run_id}/{group}").random  # noqa: S311 - it spreads restarts, and guards nothing
