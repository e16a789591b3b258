"""The waiter that a caller holds while its request is in flight: block on it, or await it.

The outcome is decided in one place, the table of the waiter's service, and never here. A future of
the standard library would decide it a second time: its ``cancel`` could succeed although the table
has completed the request.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from threading import Lock
from typing import Any, Protocol

from sk_kernel._record.boundary import TerminalEvent
from sk_kernel._replies.waiter_table import Registration


class WaiterOwner(Protocol):
    """The methods of the service that a waiter uses."""

    def now(self) -> float:
        """Return the time of the service's clock."""

    def subscribe(self, waiter: ReplyWaiter, wake: Callable[[], object]) -> bool:
        """Have ``wake`` called once, in any thread, when there is an outcome.

        Returns False, and does not call it, if there is an outcome already.
        """

    def next_due(self) -> float | None:
        """Return when a request expires next, by the service's clock; None if none is in flight."""

    def expire(self, now: float | None = None) -> int:
        """End every request that is due by ``now``, and return their number."""

    def cancel_waiter(self, waiter: ReplyWaiter) -> bool:
        """End the request as cancelled; return False if it had ended already."""

    def time_out(self, waiter: ReplyWaiter) -> bool:
        """End the request as expired; return False if it had ended already."""


class ReplyWaiter(Registration):
    """A request in flight: ``await`` it, or call :meth:`wait`; both return its one outcome.

    Created by ``register`` of a :class:`ReplyWaiterService`. Every method may be called in any
    thread. A caller that stops waiting ends the request: a wait that times out expires it, an
    interrupted wait or a cancelled ``await`` cancels it.
    """

    __slots__ = ("_owner", "asked_as", "group", "outcome", "since", "wakers")

    def __init__(
        self,
        owner: WaiterOwner,
        trace_id: str,
        reply_to: str | None,
        since: float,
        due: float,
        group: str = "",
    ) -> None:
        super().__init__(trace_id, reply_to, due)
        #: When the request was registered, by the service's clock.
        self.since = since
        self._owner, self.group = owner, group
        #: The requested trace id: the records have it, even if the waiter has a spare one.
        self.asked_as = trace_id
        self.outcome: TerminalEvent | None = None
        #: Used by the service only: the functions to call, in any thread, when there is an outcome.
        self.wakers: list[Callable[[], object]] | None = None

    def __repr__(self) -> str:
        status = "in flight" if self.outcome is None else self.outcome.status
        return f"<ReplyWaiter {self.trace_id!r}: {status}>"

    def done(self) -> bool:
        """Whether there is an outcome."""
        return self.outcome is not None

    def cancel(self) -> bool:
        """Cancel the request; return False if it has an outcome already."""
        return self._owner.cancel_waiter(self)

    def wait(self, timeout_seconds: float | None = None) -> TerminalEvent:
        """Block until there is an outcome, and return it.

        The wait ends at the waiter's due time at the latest, or after ``timeout_seconds`` if that
        is earlier. Then the waiter expires, even if nothing calls the service's ``expire``. An
        exception that ends the wait early (``KeyboardInterrupt``, or any other that a signal
        handler raises) cancels the request.
        """
        if self.outcome is not None:
            return self.outcome
        # A lock costs half as much as a threading.Event, which is built from two locks.
        arrived = Lock()
        arrived.acquire()
        limit = self.due
        if timeout_seconds is not None:
            limit = min(limit, self._owner.now() + timeout_seconds)
        try:
            if self._owner.subscribe(self, arrived.release):
                left = limit - self._owner.now()
                while left > 0 and not arrived.acquire(timeout=left):
                    left = limit - self._owner.now()
                if left <= 0:
                    self._owner.time_out(self)
        except BaseException:  # raised by a signal handler
            self.cancel()
            raise
        return self._decided()

    def __await__(self) -> Generator[Any, None, TerminalEvent]:
        return self._on_loop().__await__()

    async def _on_loop(self) -> TerminalEvent:
        from sk_kernel._replies.loop_wakes import wakes_here  # most processes never await a reply

        wakes = wakes_here()
        arrived = wakes.future()
        if self._owner.subscribe(self, partial(wakes.wake, arrived)):
            wakes.mind(self._owner, self.due)
            try:
                await arrived
            finally:
                if self.outcome is None:
                    self.cancel()
        return self._decided()

    def _decided(self) -> TerminalEvent:
        outcome = self.outcome
        if outcome is None:  # pragma: no cover - the service sets it before it wakes anybody
            raise AssertionError("woken without an outcome")
        return outcome
