"""How long a worker may be silent, or stand still, and what it was doing meanwhile. Pure.

Time comes in as seconds of one monotonic clock. A process is looked at twice, so that the CPU time
in between tells busy from idle: once when a wait is two thirds over, and at its end. Nobody waits
for that, and a worker that is heard is never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Final, NamedTuple

from sk_supervisor._lives.vitals import ProcessLook, Vitals, between

_FIRST_LOOK: Final = 2 / 3
#: The least share of the limit between the two looks, where the loop was late with the first.
_LEAST_WINDOW: Final = 1 / 10
HEARTBEATS: Final = 3
"""A worker has failed when this many intervals passed without a word of it."""


@dataclass(slots=True)
class Silence:
    """How long nothing has been heard of a worker; ``limit`` is in seconds."""

    limit: float
    since: float
    first: ProcessLook | None = None

    def heard(self, at: float) -> None:
        """It said something."""
        if at > self.since:
            self.since, self.first = at, None

    @property
    def due(self) -> float:
        """When it is to be looked at next."""
        if self.first is None:
            return self.since + self.limit * _FIRST_LOOK
        return max(self.since + self.limit, self.first.at + self.limit * _LEAST_WINDOW)

    def looked(self, look: ProcessLook) -> Vitals | None:
        """Take a look that was due; at the end of the limit, what the worker was doing."""
        if self.first is None:
            self.first = look
            return None
        return between(self.first, look)


class Counts(NamedTuple):
    """How far a worker has come, in its own words."""

    records_in: int = 0
    records_out: int = 0
    batches: int = 0
    waiting: int = 0
    """Items of work at hand, the one in work included."""
    requests: int = 0
    source_records: int = 0
    """Its place in the source's input."""

    @property
    def done(self) -> tuple[int, ...]:
        """What must grow where work waits."""
        return tuple(self._replace(waiting=0))


class StallChange(NamedTuple):
    """A stall has begun (``stuck``), or is over, after ``seconds``."""

    stuck: bool
    seconds: float
    vitals: Vitals | None = None


@dataclass(slots=True)
class StallDetector:
    """How long a worker has done nothing of the work that waits for it.

    It is judged when it says how far it has come, and then only: a worker that says nothing is
    silent, which is another matter.

    :param limit: seconds, or None where a worker may stand still for as long as it likes.
    """

    limit: float | None
    since: float
    counts: Counts = field(default_factory=Counts)
    moved_at: float | None = None
    """When it last got on; None before it has."""
    stuck: bool = False
    looks: tuple[ProcessLook, ...] = ()

    def said(self, counts: Counts, now: float) -> StallChange | None:
        """Take in what it said; the end of a stall, if this is one."""
        moved = counts.done != self.counts.done
        was_stuck, seconds = self.stuck, now - self.since
        self.counts = counts
        if moved:
            self.moved_at = now
        if not moved and counts.waiting:
            return None
        self.since, self.stuck, self.looks = now, False, ()
        return StallChange(False, seconds) if was_stuck else None

    def wants_look(self, now: float) -> bool:
        """Whether it has stood still for so long that its process should be looked at."""
        limit = inf if self.limit is None else self.limit
        return not self.stuck and now - self.since >= limit * _FIRST_LOOK

    def looked(self, look: ProcessLook) -> StallChange | None:
        """Take a look that was wanted; the beginning of a stall, if the limit is over."""
        self.looks = (*self.looks[-1:], look)
        seconds = look.at - self.since
        if self.limit is None or seconds < self.limit or len(self.looks) < 2:
            return None
        self.stuck = True
        return StallChange(True, seconds, between(*self.looks))
