"""Which requests are in flight, by every name that they go by: a state machine without a clock.

A request ends once: completed by the first terminal under one of its names, cancelled, or expired.
Its names are then remembered for as long as ``remember`` further requests take to end; until then a
terminal for a completed one is a duplicate, afterwards it is late, as it is for all others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import Generic, Literal, NamedTuple, TypeVar

from sk_kernel.errors import TooManyAliasesError, TooManyRequestsError, TraceInUseError

MAX_ALIASES = 16
#: Entries of the heap that may belong to ended requests before it is rebuilt, beside as many as
#: there are requests in flight: rebuilding costs nothing that registering has not paid for.
SLACK = 64

#: What a terminal is: the end of a request, another one for one that was completed, or for none.
Verdict = Literal["completed", "duplicate_terminal", "late_reply_drop"]


class Registration:
    """A request in flight: the caller's own trace id first among its names, and its due time."""

    __slots__ = ("due", "held", "names", "reply_to", "serial", "trace_id")

    def __init__(self, trace_id: str, reply_to: str | None, due: float) -> None:
        self.trace_id, self.reply_to, self.due = trace_id, reply_to, due
        self.names: tuple[str, ...] = (trace_id,)
        self.serial = 0
        self.held = False

    def rename(self, trace_id: str) -> None:
        """Go by another name; before it is registered."""
        self.trace_id, self.names = trace_id, (trace_id,)


class _Past(NamedTuple):
    """A request that has ended: its names, and whether a terminal ended it."""

    names: tuple[str, ...]
    completed: bool


R = TypeVar("R", bound=Registration)


class WaiterTable(Generic[R]):
    """The requests in flight and a bounded memory of the ended ones. Not safe across threads.

    Whoever works on a request may hold it: it then counts against ``max_in_flight`` until it is
    released, also where nobody waits for it any more.
    """

    def __init__(self, max_in_flight: int, remember: int) -> None:
        self.max_in_flight, self.remember = max_in_flight, remember
        self.registered = self.completed = self.cancelled = self.expired = 0
        self.duplicate_terminal = self.late_reply_drop = self.refused = self.unfinished = 0
        self._live: dict[str, R] = {}
        # Trace ids, not registrations: those of ended requests would hold their replies alive.
        self._due: list[tuple[float, int, str]] = []
        self._past: dict[str, _Past] = {}
        self._order: deque[_Past] = deque()

    @property
    def in_flight(self) -> int:
        """The number of requests without an outcome."""
        return self.registered - self.completed - self.cancelled - self.expired

    @property
    def remembered(self) -> int:
        """The number of ended requests that are remembered."""
        return len(self._order)

    @property
    def scheduled(self) -> int:
        """The length of the due-time heap."""
        return len(self._due)

    def register(self, entry: R) -> None:
        """Take a request on.

        :raises TooManyRequestsError: when ``max_in_flight`` are under way, or held.
        :raises TraceInUseError: when one in flight goes by that trace id.
        """
        in_flight = self.in_flight
        if in_flight + self.unfinished >= self.max_in_flight:
            self.refused += 1
            raise TooManyRequestsError(self.max_in_flight, self.unfinished)
        if entry.trace_id in self._live:
            self.refused += 1
            raise TraceInUseError(entry.trace_id)
        self.registered += 1
        entry.serial = self.registered
        self._live[entry.trace_id] = entry
        self._past.pop(entry.trace_id, None)
        if len(self._due) > 2 * in_flight + SLACK:
            self._due = [item for item in self._due if self._is_live(item)]
            heapify(self._due)
        heappush(self._due, (entry.due, entry.serial, entry.trace_id))

    def add_alias(self, trace_id: str, alias: str) -> bool:
        """Let a request in flight go by another name too; False when there is no such request.

        :raises TraceInUseError: when another one in flight goes by that name.
        :raises TooManyAliasesError: when it has :data:`MAX_ALIASES`.
        """
        entry = self.get(trace_id)
        if entry is None:
            return False
        holder = self._live.setdefault(alias, entry)
        if holder is not entry:
            raise TraceInUseError(alias)
        if alias not in entry.names:
            if len(entry.names) > MAX_ALIASES:
                del self._live[alias]
                raise TooManyAliasesError(trace_id, MAX_ALIASES)
            entry.names = (*entry.names, alias)
            self._past.pop(alias, None)
        return True

    def hold(self, entry: R) -> bool:
        """Count a request in flight until it is released; False when it has ended before."""
        entry.held = self._live.get(entry.trace_id) is entry
        return entry.held

    def release(self, entry: R) -> None:
        """Hold a request no more; nothing where it is not held."""
        if entry.held:
            entry.held = False
            self.unfinished -= self._live.get(entry.trace_id) is not entry

    def goes(self, name: str) -> bool:
        """Whether a request in flight goes by that name, its own or an alias."""
        return name in self._live

    def get(self, trace_id: str) -> R | None:
        """The request in flight with that trace id of its caller's; aliases find nothing."""
        entry = self._live.get(trace_id)
        return entry if entry is not None and entry.trace_id == trace_id else None

    def entries(self) -> list[R]:
        """The requests in flight, the oldest first."""
        return [entry for name, entry in self._live.items() if name == entry.trace_id]

    def complete(self, name: str) -> tuple[Verdict, str, R | None]:
        """Take a terminal that came under a name.

        Gives (what it is, the caller's trace id or "" where nobody knows it, the request that it
        ends or None).
        """
        entry = self._live.get(name)
        if entry is not None:
            self.completed += 1
            self._end(entry, completed=True)
            return "completed", entry.trace_id, entry
        past = self._past.get(name)
        if past is not None and past.completed:
            self.duplicate_terminal += 1
            return "duplicate_terminal", past.names[0], None
        self.late_reply_drop += 1
        return "late_reply_drop", past.names[0] if past is not None else "", None

    def cancel(self, entry: R) -> bool:
        """End a request as cancelled; False when it has ended before."""
        if self._live.get(entry.trace_id) is not entry:
            return False
        self.cancelled += 1
        self._end(entry, completed=False)
        return True

    def time_out(self, entry: R) -> bool:
        """End a request as expired, due or not; False when it has ended before."""
        if self._live.get(entry.trace_id) is not entry:
            return False
        self.expired += 1
        self._end(entry, completed=False)
        return True

    def expire(self, now: float) -> Sequence[R]:
        """End every request that is due by ``now`` as expired; gives them in order of due time."""
        if not self._due or self._due[0][0] > now:
            return ()
        ended = []
        while self._due and self._due[0][0] <= now:
            item = heappop(self._due)
            if self._is_live(item):
                ended.append(self._live[item[2]])
                self.time_out(ended[-1])
        return ended

    def next_due(self) -> float | None:
        """The earliest due time of a request in flight; None when there is none."""
        while self._due and not self._is_live(self._due[0]):
            heappop(self._due)
        return self._due[0][0] if self._due else None

    def _is_live(self, item: tuple[float, int, str]) -> bool:
        entry = self._live.get(item[2])
        return entry is not None and entry.serial == item[1]

    def _end(self, entry: R, *, completed: bool) -> None:
        self.unfinished += entry.held
        past = _Past(entry.names, completed)
        for name in past.names:
            del self._live[name]
            self._past[name] = past
        self._order.append(past)
        if len(self._order) > self.remember:
            oldest = self._order.popleft()
            for name in oldest.names:
                if self._past.get(name) is oldest:
                    del self._past[name]
