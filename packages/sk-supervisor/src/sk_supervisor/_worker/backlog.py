"""Requests that wait in a worker: an adaptive LIFO queue with deadlines. Pure.

If more requests arrive than can be run, a first-in-first-out queue grows until the request at its
head has almost no time left. From then on every request that is begun ends too late, although the
worker is never idle. So the oldest request is begun first only as long as it has waited for no
longer than it has time left. Otherwise the worker is overloaded, and the newest is begun first, if
the order does not matter. Requests that can hardly be answered in time are not begun at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from sk_kernel.runtime import Visit

#: A request that has waited so many times its remaining time can hardly be answered in time.
_HOPELESS_RATIO: Final = 8
#: The most requests that are run together: their answers are sent when all of them have ended.
MOST_TOGETHER: Final = 256
#: If running them takes less than the first, more are run together; more than the second, fewer.
_SHORT_SECONDS: Final = 0.005
_LONG_SECONDS: Final = 0.02


class Queued(NamedTuple):
    """The visits of one request in one frame, when they arrived, and when the request expires."""

    came: float
    due: float
    visits: Sequence[Visit]

    def is_past_half_time(self, now: float) -> bool:
        """Whether it has waited for longer than its remaining time."""
        return now - self.came > self.due - now

    def is_late(self, now: float, took: float) -> bool:
        """Whether not to begin it, as it has expired, or most likely would before it is answered.

        :param took: how long earlier requests took here, in seconds. It is ignored for a request
            that has waited for less than its remaining time, as it may be an outlier.
        """
        left = self.due - now
        waited = now - self.came
        return left <= 0 or (waited > left and left < max(waited / _HOPELESS_RATIO, took))


class Backlog:
    """Requests that wait in one segment, in the order of their arrival.

    All are searched for late ones only after as many have left as there were at the last search,
    so that the cost per request does not depend on how many wait.

    :param ordered: whether they must be begun in that order.
    """

    def __init__(self, *, ordered: bool) -> None:
        self._ordered = ordered
        self._waiting: deque[Queued] = deque()
        #: So many must leave before all are searched again.
        self._until_sweep = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, visits: Sequence[Visit], now: float) -> None:
        """Add the visits of one frame."""
        if len(visits) == 1:
            self._waiting.append(Queued(now, visits[0].due, visits))
            return
        requests: dict[str, list[Visit]] = {}
        for visit in visits:
            requests.setdefault(visit.request, []).append(visit)
        self._waiting.extend(Queued(now, some[0].due, some) for some in requests.values())

    def take(self, most: int, now: float, took: float) -> tuple[list[Sequence[Visit]], list[Visit]]:
        """Remove and return at most ``most`` requests to begin, and the visits of late requests.

        The requests to begin are in the order of their arrival, even if they are the newest. Late
        requests, which are not to be begun, are removed as long as no other one is before them;
        if all requests had the same time limit, these are all late ones.

        :param took: how long earlier requests took here, in seconds.
        """
        late: list[Visit] = []
        self._remove_late(late, now, took)
        waiting = self._waiting
        before = len(waiting)
        newest = not self._ordered and before > 0 and waiting[0].is_past_half_time(now)
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

    def _remove_late(self, late: list[Visit], now: float, took: float) -> None:
        """Move late requests at the head to ``late``; when a search is due, those behind too."""
        waiting = self._waiting
        while waiting and waiting[0].is_late(now, took):
            late += waiting.popleft().visits
            self._until_sweep -= 1
        if self._until_sweep > 0 or not waiting or not waiting[0].is_past_half_time(now):
            return
        self._waiting = kept = deque[Queued]()
        for each in waiting:
            if each.is_late(now, took):
                late += each.visits
            else:
                kept.append(each)
        self._until_sweep = len(kept)


class AdaptiveLimit:
    """How many requests are run together: halved after a long run, doubled after a short one.

    :param least: the lower bound of the limit.
    """

    def __init__(self, least: int = 1) -> None:
        self._least = least
        self.most = MOST_TOGETHER
        #: A moving average in seconds, so that one outlier does not count for much.
        self.took = 0.0

    def ran(self, seconds: float) -> None:
        """Note that a run of requests took so long, and adapt the limit."""
        self.took += (seconds - self.took) / 4
        if seconds > _LONG_SECONDS:
            self.most = max(self.most // 2, self._least)
        elif seconds < _SHORT_SECONDS:
            self.most = min(self.most * 2, MOST_TOGETHER)
