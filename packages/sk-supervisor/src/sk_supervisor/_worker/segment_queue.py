"""The queue of the requests of one segment in a worker, which also runs them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sk_kernel.runtime import Outcomes, RequestRunner, Visit

from sk_supervisor._worker.backlog import AdaptiveLimit, Backlog

if TYPE_CHECKING:  # few applications have coroutines
    from sk_supervisor._worker.overlap import Overlap

#: The most requests that overlap at once.
MOST_UNDER_WAY: Final = 64
#: The least number run together if a node takes many records in one call.
_WORTH_GATHERING: Final = 64


class SegmentQueue:
    """Queues the requests that arrive at one segment, and runs them. The main thread only.

    If coroutines of different requests may overlap, each request is run by itself, up to
    ``MOST_UNDER_WAY`` at once; otherwise as many are run together as finish soon.

    :param overlap: runs overlapping requests; None if there is no event loop for them.
    """

    def __init__(self, index: int, runner: RequestRunner, overlap: Overlap | None) -> None:
        manner = runner.manner
        self._index, self._runner = index, runner
        self._overlap = overlap if manner.overlapping else None
        self._backlog = Backlog(ordered=manner.ordered)
        self._limit = AdaptiveLimit(least=_WORTH_GATHERING if manner.gathering else 1)
        self._under_way = 0

    @property
    def waits(self) -> bool:
        """Whether a request waits to be begun."""
        return len(self._backlog) > 0

    @property
    def overlaps(self) -> bool:
        """Whether requests are only begun here, and end on the event loop."""
        return self._overlap is not None

    def put(self, visits: Sequence[Visit], came: float) -> None:
        """Add the visits of one frame."""
        self._backlog.put(visits, came)

    def expire(self) -> None:
        """Treat all requests, present and future, as expired. Any thread."""
        self._runner.expire()

    def run(self) -> Outcomes:
        """Run, or begin, some of the waiting requests; return their outcomes so far.

        :raises DeadLetterError: when a dead letter cannot be written.
        """
        now, limit = time.monotonic(), self._limit
        if self._overlap is None:
            requests, late = self._backlog.take(limit.most, now, limit.took)
            if not requests:
                return Outcomes(self._runner.late(late), {})
            answers, onward = self._runner.run([visit for some in requests for visit in some])
            limit.ran(time.monotonic() - now)
            return Outcomes(self._runner.late(late) + answers if late else answers, onward)
        room = MOST_UNDER_WAY - self._under_way
        requests, late = self._backlog.take(room, now, limit.took) if room else ([], [])
        for visits in requests:
            self._under_way += 1
            self._overlap.begin(self._pass(visits))
        return Outcomes(self._runner.late(late), {})

    async def _pass(self, visits: Sequence[Visit]) -> tuple[int, Outcomes]:
        began = time.monotonic()
        try:
            return self._index, await self._runner.overlap(visits)
        finally:
            self._under_way -= 1
            self._limit.ran(time.monotonic() - began)
