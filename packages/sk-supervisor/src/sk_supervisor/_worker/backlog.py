"""Requests that wait in a worker: which are begun next, and which are not begun any more. Pure.

Where more comes in than can be done, a queue grows until what is at its head has next to no time
left: all that is begun then ends too late, for ever, though the worker is never idle. So of what
stands in a queue for longer than it has time left not the oldest is begun first, where the order
is nobody's concern; and nothing that can hardly be answered in time is begun at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from sk_kernel.runtime import Visit

#: What has waited so many times as long as it has time left would hardly be answered in time.
_HARDLY: Final = 8


#: So many requests are run in one go, at most: their answers leave when all of them have ended.
MOST_TOGETHER: Final = 256
#: In the time between these, as many in one go are right; less than that, and more may go.
_SHORT_SECONDS: Final = 0.005
_LONG_SECONDS: Final = 0.02


class Queued(NamedTuple):
    """What has come of one request in one frame, when that was, and until when it is of use."""

    came: float
    due: float
    visits: Sequence[Visit]

    def stands(self, now: float) -> bool:
        """Whether it has waited for longer than it has time left."""
        return now - self.came > self.due - now

    def is_late(self, now: float, took: float) -> bool:
        """Whether it is not to be begun: its time is over, or would most likely be at its end.

        :param took: how long those before have taken here. It may have been an exception: what
            does not stand is begun whatever it says.
        """
        left = self.due - now
        waited = now - self.came
        return left <= 0 or (waited > left and left < max(waited / _HARDLY, took))


class Backlog:
    """Requests that wait in one segment, in the order in which they have come.

    All are looked through only when as many have left since the last time as there were then: so
    each costs the same, however many wait.

    :param ordered: whether they are begun in that order, come what may.
    """

    def __init__(self, *, ordered: bool) -> None:
        self._ordered = ordered
        self._waiting: deque[Queued] = deque()
        #: So many have to leave before all are looked through.
        self._until_sweep = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, visits: Sequence[Visit], now: float) -> None:
        """Take what has come in one frame."""
        if len(visits) == 1:
            self._waiting.append(Queued(now, visits[0].due, visits))
            return
        requests: dict[str, list[Visit]] = {}
        for visit in visits:
            requests.setdefault(visit.request, []).append(visit)
        self._waiting.extend(Queued(now, some[0].due, some) for some in requests.values())

    def take(self, most: int, now: float, took: float) -> tuple[list[Sequence[Visit]], list[Visit]]:
        """(at most so many requests that are to be begun, what is not to be begun any more).

        What is to be begun is in the order in which it has come, also where that is the newest.
        Of what is not, all leaves at once that has nothing in front of it that may be begun: where
        each had the same time, that is all there is.

        :param took: how long those before have taken here, in seconds.
        """
        late: list[Visit] = []
        self._leave_out(late, now, took)
        waiting = self._waiting
        before = len(waiting)
        newest = not self._ordered and before > 0 and waiting[0].stands(now)
        chosen: list[Queued] = []
        while waiting and len(chosen) < most:
            each = waiting.pop() if newest else waiting.popleft()
            if each.is_late(now, took):
                late += each.visits
            else:
                chosen.append(each)
        if newest:
            chosen.reverse()
        self._until_sweep -= before - len(waiting)
        return [each.visits for each in chosen], late

    def _leave_out(self, late: list[Visit], now: float, took: float) -> None:
        """Make what is not to be begun ``late``: what has come first, or, at times, all of it."""
        waiting = self._waiting
        while waiting and waiting[0].is_late(now, took):
            late += waiting.popleft().visits
            self._until_sweep -= 1
        if self._until_sweep > 0 or not waiting or not waiting[0].stands(now):
            return
        self._waiting = kept = deque[Queued]()
        for each in waiting:
            if each.is_late(now, took):
                late += each.visits
            else:
                kept.append(each)
        self._until_sweep = len(kept)


class Pace:
    """How many requests are run in one go, and how long they have taken.

    :param least: what it never falls below.
    """

    def __init__(self, least: int = 1) -> None:
        self._least = least
        self.most = MOST_TOGETHER
        #: Smoothed, so that one exception does not count for much; in seconds.
        self.took = 0.0

    def ran(self, seconds: float) -> None:
        """So long it has taken to run as many as there were."""
        self.took += (seconds - self.took) / 4
        if seconds > _LONG_SECONDS:
            self.most = max(self.most // 2, self._least)
        elif seconds < _SHORT_SECONDS:
            self.most = min(self.most * 2, MOST_TOGETHER)
