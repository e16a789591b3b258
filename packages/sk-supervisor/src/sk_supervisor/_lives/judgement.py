"""How long a worker may be silent or without progress, and what it does meanwhile. Pure.

All times are seconds of one monotonic clock. A process is sampled twice, so that its CPU time in
between shows whether it is busy or idle: once after two thirds of a wait, and once at its end.
Nothing waits for a sample, and a worker that is heard is never sampled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Final, NamedTuple

from sk_supervisor._lives.vitals import ProcessLook, Vitals, between

_FIRST_LOOK: Final = 2 / 3
#: The minimum time between the two samples, as a share of the limit, if the loop was late with the
#: first.
_LEAST_WINDOW: Final = 1 / 10
HEARTBEATS: Final = 3
"""A worker has failed after this many heartbeat intervals without a message."""


@dataclass(slots=True)
class Silence:
    """How long a worker has been silent; ``limit`` is in seconds."""

    limit: float
    since: float
    first: ProcessLook | None = None

    def heard(self, at: float) -> None:
        """Note that the worker sent a message."""
        if at > self.since:
            self.since, self.first = at, None

    @property
    def due(self) -> float:
        """When its process is to be sampled next."""
        if self.first is None:
            return self.since + self.limit * _FIRST_LOOK
        return max(self.since + self.limit, self.first.at + self.limit * _LEAST_WINDOW)

    def looked(self, look: ProcessLook) -> Vitals | None:
        """Take a sample that was due; at the end of the limit, return what the worker was doing."""
        if self.first is None:
            self.first = look
            return None
        return between(self.first, look)


class Counts(NamedTuple):
    """The progress of a worker, as it reports it."""

    records_in: int = 0
    records_out: int = 0
    batches: int = 0
    waiting: int = 0
    """Items of work that it has received and not finished, including the one in progress."""
    requests: int = 0
    source_records: int = 0
    """Its position in the source's input."""

    @property
    def done(self) -> tuple[int, ...]:
        """The counts of which one must grow while work is waiting."""
        return tuple(self._replace(waiting=0))


class StallChange(NamedTuple):
    """A stall has begun (``stuck``), or has ended, after ``seconds``."""

    stuck: bool
    seconds: float
    vitals: Vitals | None = None


@dataclass(slots=True)
class StallDetector:
    """How long a worker has made no progress although work is waiting for it.

    It is checked only when the worker reports its progress: one that does not report is silent, and
    :class:`Silence` is about that.

    :param limit: seconds; None if there is no limit.
    """

    limit: float | None
    since: float
    counts: Counts = field(default_factory=Counts)
    moved_at: float | None = None
    """When it last made progress; None before the first time."""
    stuck: bool = False
    looks: tuple[ProcessLook, ...] = ()

    def said(self, counts: Counts, now: float) -> StallChange | None:
        """Take a report of progress; return the end of a stall, if it ends one."""
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
        """Whether it has been without progress for so long that its process should be sampled."""
        limit = inf if self.limit is None else self.limit
        return not self.stuck and now - self.since >= limit * _FIRST_LOOK

    def looked(self, look: ProcessLook) -> StallChange | None:
        """Take a sample that was wanted; return the beginning of a stall, if the limit is over."""
        self.looks = (*self.looks[-1:], look)
        seconds = look.at - self.since
        if self.limit is None or seconds < self.limit or len(self.looks) < 2:
            return None
        self.stuck = True
        return StallChange(True, seconds, between(*self.looks))
