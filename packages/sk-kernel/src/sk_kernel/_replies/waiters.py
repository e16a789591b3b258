"""A thread-safe waiter table with a clock: register, settle, cancel, expire, count."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Literal, TypeAlias, get_args

import msgspec

from sk_kernel._measure.times import Times
from sk_kernel._measure.totals import Histogram
from sk_kernel._record.boundary import TerminalEvent, TerminalStatus
from sk_kernel._replies.facts import ReplyCounters, ReplyEvent, ReplyEventName
from sk_kernel._replies.waiter import ReplyWaiter
from sk_kernel._replies.waiter_table import WaiterTable
from sk_kernel.errors import RequestRefusedError, RequestsClosedError

_DAY = 86_400.0

Unanswered: TypeAlias = Literal["timeout", "cancelled"]


class ReplyWaiterService:
    """Waiters for replies. Every method may be called in any thread, and none blocks.

    At most ``max_in_flight`` requests are without an outcome or held, each with a trace id of its
    own. A due request expires at the next call of ``register``, ``settle``, ``cancel_waiter``,
    ``expire`` or ``close``, and in its waiter's own ``wait`` or ``await``; the owner of a loop may
    also call :meth:`expire` at the time of :meth:`next_due`. ``clock`` is a monotonic clock, in
    seconds. ``on_event`` is called outside the lock, in the thread that caused the event, and must
    not raise.
    """

    def __init__(
        self,
        *,
        max_in_flight: int = 1_024,
        clock: Callable[[], float] = time.monotonic,
        on_event: Callable[[ReplyEvent], object] | None = None,
    ) -> None:
        self.now = clock
        self._on_event = on_event
        self._lock = Lock()
        self._table: WaiterTable[ReplyWaiter] = WaiterTable(max_in_flight)
        self._times: dict[TerminalStatus, Times] = {s: Times() for s in get_args(TerminalStatus)}
        self._closed = False

    def register(
        self,
        trace_id: str,
        reply_to: str | None = None,
        timeout_seconds: float = 30.0,
        *,
        group: str = "",
        spare: str | None = None,
    ) -> ReplyWaiter:
        """Return a waiter that is due in ``timeout_seconds`` (a day at most; 0 or less: at once).

        ``group`` is the group that the request is sent to, if any: the error of a timeout names it.
        ``spare`` is used as the trace id if a request in flight already has ``trace_id``.

        A trace id may be used again when its request has ended: a terminal event that still comes
        for the earlier request belongs to its own waiter, and does not affect the later one.

        :raises TooManyRequestsError: when ``max_in_flight`` requests are in flight or held.
        :raises TraceInUseError: when a request in flight has the same trace id.
        :raises RequestsClosedError: after :meth:`refuse` or :meth:`close`.
        :raises TypeError: when ``timeout_seconds`` is not a number.
        """
        now = self.now()
        try:
            due = now + min(timeout_seconds, _DAY) if timeout_seconds > 0 else now
        except TypeError:
            got = type(timeout_seconds).__qualname__
            raise TypeError(f"timeout_seconds is a number of seconds, not a {got}") from None
        waiter = ReplyWaiter(self, trace_id, reply_to, now, due, group)
        overdue: Sequence[ReplyWaiter] = ()
        try:
            with self._lock:
                overdue = self._expired(now)
                if self._closed:
                    self._table.refused += 1
                    raise RequestsClosedError
                if spare is not None and self._table.goes(trace_id):
                    waiter.trace_id = spare
                self._table.register(waiter)
        except RequestRefusedError:
            self._tell("refused", trace_id)
            raise
        finally:
            if overdue:
                self._wake(overdue, "timeout")
        self._tell("registered", waiter.trace_id)
        return waiter

    def hold(self, waiter: ReplyWaiter) -> bool:
        """Count a request against ``max_in_flight`` until :meth:`release`, even after it has ended.

        For a component whose work on the request goes on without its caller. Returns False if the
        request has ended already.
        """
        with self._lock:
            return self._table.hold(waiter)

    def release(self, waiter: ReplyWaiter) -> None:
        """Release a request, when no work on it is left. Further calls have no effect."""
        with self._lock:
            was_over = self._table.release(waiter)
        if was_over:
            self._tell("released", waiter.trace_id)

    def settle(self, waiter: ReplyWaiter, event: TerminalEvent) -> bool:
        """End a request by a terminal event, whose trace id is replaced by the waiter's own.

        The first event for a request in flight ends it (returns True). Any other is counted and
        dropped: as ``duplicate_terminal`` if a terminal event has ended the request, as
        ``late_reply_drop`` if its caller or its timeout has.
        """
        now = self.now()
        with self._lock:
            overdue = self._expired(now)
            verdict = self._table.settle(waiter, event.status)
            dropped = verdict in ("duplicate_terminal", "late_reply_drop")
            if not dropped:
                if event.trace_id != waiter.trace_id:
                    event = msgspec.structs.replace(event, trace_id=waiter.trace_id)
                waiter.outcome = event
                self._times[event.status].add(now - waiter.since)
        if overdue:
            self._wake(overdue, "timeout")
        if dropped:
            self._tell(verdict, waiter.trace_id)
            return False
        if waiter.wakers:
            _wake_all(waiter.wakers)
        self._tell(verdict, waiter.trace_id, event.status)
        return True

    def drop_late(self) -> None:
        """Count a terminal event whose request is no longer known: ``late_reply_drop``."""
        with self._lock:
            self._table.late_reply_drop += 1
        self._tell("late_reply_drop", "")

    def cancel_waiter(self, waiter: ReplyWaiter) -> bool:
        """End this request as cancelled; return False if it had ended already."""
        now = self.now()
        with self._lock:
            overdue = self._expired(now)
            ended = self._table.cancel(waiter)
            if ended:
                self._ended_without(waiter, "cancelled", now)
        self._wake(overdue, "timeout")
        self._wake([waiter] if ended else (), "cancelled")
        return ended

    def time_out(self, waiter: ReplyWaiter) -> bool:
        """End this request as expired, due or not; return False if it had ended already."""
        now = self.now()
        with self._lock:
            ended = self._table.time_out(waiter)
            if ended:
                self._ended_without(waiter, "timeout", now)
        self._wake([waiter] if ended else (), "timeout")
        return ended

    def expire(self, now: float | None = None) -> int:
        """End every request that is due by ``now`` (default: the clock's time); return how many."""
        moment = self.now() if now is None else now
        with self._lock:
            overdue = self._expired(moment)
        self._wake(overdue, "timeout")
        return len(overdue)

    def next_due(self) -> float | None:
        """Return the clock's time at which the next request expires; None if none is in flight."""
        with self._lock:
            return self._table.next_due()

    def counters(self) -> ReplyCounters:
        """Return the counters, consistent with each other."""
        with self._lock:
            values = {name: getattr(self._table, name) for name in ReplyCounters.__struct_fields__}
        return ReplyCounters(**values)

    def durations(self) -> dict[str, Histogram]:
        """Return how long requests took until they had an outcome, in seconds, by its status."""
        with self._lock:
            return {status: times.seen() for status, times in self._times.items()}

    @property
    def in_flight(self) -> int:
        """The number of requests without an outcome."""
        with self._lock:
            return self._table.in_flight

    def refuse(self) -> None:
        """Reject new requests from now on; those in flight continue."""
        with self._lock:
            self._closed = True

    def close(self) -> int:
        """Cancel all requests in flight and reject new ones; return how many were cancelled."""
        now = self.now()
        with self._lock:
            self._closed = True
            overdue = self._expired(now)
            ended = self._table.entries()
            for waiter in ended:
                self._table.cancel(waiter)
                self._ended_without(waiter, "cancelled", now)
        self._wake(overdue, "timeout")
        self._wake(ended, "cancelled")
        return len(ended)

    def subscribe(self, waiter: ReplyWaiter, wake: Callable[[], object]) -> bool:
        """Have ``wake`` called once, in any thread, when there is an outcome.

        Returns False, and does not call it, if there is an outcome already.
        """
        with self._lock:
            if waiter.outcome is not None:
                return False
            if waiter.wakers is None:
                waiter.wakers = []
            waiter.wakers.append(wake)
            return True

    def _expired(self, now: float) -> Sequence[ReplyWaiter]:
        overdue = self._table.expire(now)
        for waiter in overdue:
            self._ended_without(waiter, "timeout", now)
        return overdue

    def _ended_without(self, waiter: ReplyWaiter, status: Unanswered, now: float) -> None:
        """Set the outcome of a request that ends without a reply. The caller holds the lock."""
        waiter.outcome = _outcome(waiter, status)
        self._times[status].add(now - waiter.since)

    def _wake(self, ended: Sequence[ReplyWaiter], status: Unanswered) -> None:
        _wake_all(wake for waiter in ended for wake in waiter.wakers or ())
        name: ReplyEventName = "expired" if status == "timeout" else status
        for waiter in ended:
            self._tell(name, waiter.trace_id, status)

    def _tell(
        self,
        name: ReplyEventName,
        trace_id: str,
        status: TerminalStatus | None = None,
    ) -> None:
        if self._on_event is not None:
            self._on_event(ReplyEvent(name, trace_id, status))


def _wake_all(wakers: Iterable[Callable[[], object]]) -> None:
    """Call every function, even if some raise, and then raise the first exception."""
    failure: BaseException | None = None
    for wake in wakers:
        try:
            wake()
        except BaseException as error:  # noqa: BLE001 - it is raised below
            failure = failure or error
    if failure is not None:
        raise failure


def _outcome(waiter: ReplyWaiter, status: Unanswered) -> TerminalEvent:
    error = "no reply in time" if status == "timeout" else "cancelled by the caller"
    if waiter.group and status == "timeout":
        error = f"remote handoff timed out for group '{waiter.group}'"
    return TerminalEvent(waiter.trace_id, status, error=error, category=status, group=waiter.group)
