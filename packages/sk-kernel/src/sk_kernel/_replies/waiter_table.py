"""The requests in flight, by their callers' trace ids: a state machine without a clock.

A request ends once: by its first terminal event, by its caller, or by its timeout. A further
terminal event is a duplicate if a terminal event has ended the request, and late otherwise.
A request is identified by its registration object, never by its trace id: the caller chooses the
trace id, and may use it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import Generic, Literal, TypeAlias, TypeVar

from sk_kernel._record.boundary import TerminalStatus
from sk_kernel._replies.facts import Ending
from sk_kernel.errors import TooManyRequestsError, TraceInUseError

#: The heap is rebuilt when its entries of ended requests outnumber the requests in flight by more
#: than this. So the amortised cost of rebuilding, per registration, is constant.
SLACK = 64

#: The effect of a terminal event: the way in which it ends its request, or why it is dropped.
Dropped = Literal["duplicate_terminal", "late_reply_drop"]
Verdict: TypeAlias = Ending | Dropped


class Registration:
    """A request: its caller's trace id, its due time, and whether a terminal event has ended it."""

    __slots__ = ("answered", "due", "held", "reply_to", "serial", "trace_id")

    def __init__(self, trace_id: str, reply_to: str | None, due: float) -> None:
        self.trace_id, self.reply_to, self.due = trace_id, reply_to, due
        self.serial = 0
        self.answered = self.held = False


R = TypeVar("R", bound=Registration)


class WaiterTable(Generic[R]):
    """The requests in flight; nothing is kept of those that have ended. Not thread-safe.

    A component that works on a request may hold it: the request then counts against
    ``max_in_flight`` until it is released, even if its caller no longer waits for it.
    """

    def __init__(self, max_in_flight: int) -> None:
        self.max_in_flight = max_in_flight
        self.registered = self.completed = self.failed = self.cancelled = self.expired = 0
        self.duplicate_terminal = self.late_reply_drop = self.refused = self.unfinished = 0
        self._live: dict[str, R] = {}
        # Trace ids, not registrations: these would keep the replies of ended requests alive.
        self._due: list[tuple[float, int, str]] = []

    @property
    def in_flight(self) -> int:
        """The number of requests without an outcome."""
        return self.registered - self.completed - self.cancelled - self.expired

    @property
    def scheduled(self) -> int:
        """The length of the due-time heap."""
        return len(self._due)

    def register(self, entry: R) -> None:
        """Add a request.

        :raises TooManyRequestsError: when ``max_in_flight`` requests are in flight or held.
        :raises TraceInUseError: when a request in flight has the same trace id.
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
        if len(self._due) > 2 * in_flight + SLACK:
            self._due = [item for item in self._due if self._is_live(item)]
            heapify(self._due)
        heappush(self._due, (entry.due, entry.serial, entry.trace_id))

    def hold(self, entry: R) -> bool:
        """Hold a request in flight until it is released; return False if it has ended already."""
        entry.held = self._goes_on(entry)
        return entry.held

    def release(self, entry: R) -> bool:
        """Release a request; return whether it was held and had ended: it is finished now."""
        was_over = entry.held and not self._goes_on(entry)
        entry.held = False
        self.unfinished -= was_over
        return was_over

    def goes(self, trace_id: str) -> bool:
        """Whether a request in flight has this trace id."""
        return trace_id in self._live

    def entries(self) -> list[R]:
        """Return the requests in flight, the oldest first."""
        return list(self._live.values())

    def settle(self, entry: R, status: TerminalStatus) -> Verdict:
        """Apply a terminal event: it ends its request if that is in flight; return the effect."""
        if self._end(entry):
            entry.answered = True
            return self._counted(status)
        if entry.answered:
            self.duplicate_terminal += 1
            return "duplicate_terminal"
        self.late_reply_drop += 1
        return "late_reply_drop"

    def cancel(self, entry: R) -> bool:
        """End a request as cancelled; return False if it had ended already."""
        ended = self._end(entry)
        self.cancelled += ended
        return ended

    def time_out(self, entry: R) -> bool:
        """End a request as expired, due or not; return False if it had ended already."""
        ended = self._end(entry)
        self.expired += ended
        return ended

    def expire(self, now: float) -> Sequence[R]:
        """End every request that is due by ``now`` as expired; return them in order of due time."""
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
        """Return the earliest due time of a request in flight; None if there is none."""
        while self._due and not self._is_live(self._due[0]):
            heappop(self._due)
        return self._due[0][0] if self._due else None

    def _counted(self, status: TerminalStatus) -> Ending:
        """Count a request that a terminal event has ended, by the status of the event."""
        if status == "timeout":
            self.expired += 1
            return "expired"
        if status == "cancelled":
            self.cancelled += 1
            return "cancelled"
        self.completed += 1
        self.failed += status == "error"
        return "completed"

    def _is_live(self, item: tuple[float, int, str]) -> bool:
        entry = self._live.get(item[2])
        return entry is not None and entry.serial == item[1]

    def _end(self, entry: R) -> bool:
        if not self._goes_on(entry):
            return False
        del self._live[entry.trace_id]
        self.unfinished += entry.held
        return True

    def _goes_on(self, entry: R) -> bool:
        """Whether this request itself is in flight, and not a later one with the same trace id."""
        return self._live.get(entry.trace_id) is entry
