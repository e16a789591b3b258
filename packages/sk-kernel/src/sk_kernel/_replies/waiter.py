"""What a caller holds while its request is in flight: to wait on in a thread, or to await.

Its outcome is decided in one place, the table of its service, and never here: a future of the
standard library would be a second judge, whose `cancel` could win while the table says completed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from threading import Lock
from typing import Any, Protocol

from sk_kernel._record.boundary import TerminalEvent
from sk_kernel._replies.waiter_table import Registration


class WaiterOwner(Protocol):
    """The service that made a waiter, as far as the waiter needs it."""

    def now(self) -> float:
        """The time by the service's clock."""

    def subscribe(self, waiter: ReplyWaiter, wake: Callable[[], object]) -> bool:
        """Call ``wake`` once, in any thread, when there is an outcome.

        False, and nothing is called, where there is one already.
        """

    def next_due(self) -> float | None:
        """When a request expires next, by the service's clock; None when none is in flight."""

    def expire(self, now: float | None = None) -> int:
        """End every request that is due by ``now``."""

    def cancel_waiter(self, waiter: ReplyWaiter) -> bool:
        """End it as cancelled; False when it has ended before."""

    def time_out(self, waiter: ReplyWaiter) -> bool:
        """End it as expired; False when it has ended before."""


class ReplyWaiter(Registration):
    """A request in flight: ``await`` it, or call :meth:`wait`; both return its one outcome.

    Created by ``register`` of a :class:`ReplyWaiterService`. Safe in any thread. A caller that
    stops waiting ends the request: a wait that times out expires it, an interrupted wait or a
    cancelled ``await`` cancels it.
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
        #: When it was asked, by the service's clock.
        self.since = since
        self._owner, self.group = owner, group
        #: The trace id that was asked for: its records have it, also under a spare one.
        self.asked_as = trace_id
        self.outcome: TerminalEvent | None = None
        #: Only for the service: what to call, in any thread, when there is an outcome.
        self.wakers: list[Callable[[], object]] | None = None

    def __repr__(self) -> str:
        status = "in flight" if self.outcome is None else self.outcome.status
        return f"<ReplyWaiter {self.trace_id!r}: {status}>"

    def done(self) -> bool:
        """Whether there is an outcome."""
        return self.outcome is not None

    def cancel(self) -> bool:
        """Give up: the outcome is ``cancelled``, unless there is one already (then False)."""
        return self._owner.cancel_waiter(self)

    def wait(self, timeout_seconds: float | None = None) -> TerminalEvent:
        """Block until there is an outcome, and return it.

        The wait ends at the waiter's due time at the latest, or after ``timeout_seconds`` if that
        is earlier: then the waiter expires, whether or not anybody calls the service's ``expire``.
        An exception that ends the wait early (``KeyboardInterrupt``, or any other that a signal
        handler raises) cancels the request.
        """
        if self.outcome is not None:
            return self.outcome
        # Half of what an event costs, which is one with two locks of its own.
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
        except BaseException:  # of a signal handler
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
