"""Waking what awaits on an event loop: one call into the loop for many, and one timer for all.

A call into a loop from another thread is a system call. Replies come by the frame, and those that
wait for them are mostly on one loop; and next to none of them is over time.
"""

from __future__ import annotations

import threading
from asyncio import AbstractEventLoop, Future, TimerHandle, get_running_loop
from contextlib import suppress
from typing import Protocol
from weakref import WeakKeyDictionary, ref


class Expiring(Protocol):
    """What has due times, by a clock of its own."""

    def now(self) -> float:
        """The time."""

    def next_due(self) -> float | None:
        """When something is due next; None for nothing."""

    def expire(self, now: float | None = None) -> int:
        """End what is due by ``now``."""


class _Due(list[Future[None]]):
    """Futures to resolve. The call into their loop holds them: nothing else may, of what awaits."""


class LoopWakes:
    """Resolves futures of one loop, and minds what is due meanwhile."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = ref(loop)  # which must be able to go
        self._lock = threading.Lock()
        # Weakly too, for each future has its loop: the call that the loop has been given holds it.
        self._due: ref[_Due] | None = None
        self._timers: WeakKeyDictionary[Expiring, tuple[float, ref[TimerHandle]]] = (
            WeakKeyDictionary()
        )

    def future(self) -> Future[None]:
        """One to await, in the loop's thread."""
        return get_running_loop().create_future()

    def wake(self, future: Future[None]) -> None:
        """Resolve a future, soon. Any thread."""
        with self._lock:
            due = self._due() if self._due else None
            if due is not None:
                due.append(future)
                return  # whoever came first has called
            due = _Due([future])
            self._due = ref(due)
        loop = self._loop()
        if loop is not None:
            with suppress(RuntimeError):  # It is closed: nobody awaits any more.
                loop.call_soon_threadsafe(self._resolve, due)

    def mind(self, desk: Expiring, due: float) -> None:
        """Have it expire what is due, at this time of its clock at the latest. The loop's thread.

        Whose due time is not the next one costs nothing; the timer stays until it is over.
        """
        timer = self._timers.get(desk)
        if timer is not None:
            if timer[0] <= due:
                return
            handle = timer[1]()
            if handle is not None:
                handle.cancel()
        left = max(due - desk.now(), 0.0)
        self._timers[desk] = due, ref(get_running_loop().call_later(left, self._ring, ref(desk)))

    def _ring(self, minded: ref[Expiring]) -> None:
        desk = minded()
        if desk is None:
            return
        due, _ = self._timers.pop(desk)
        try:
            desk.expire(due)
        finally:  # also where what it wakes raises
            following = desk.next_due()
            if following is not None:
                self.mind(desk, following)

    def _resolve(self, due: _Due) -> None:
        with self._lock:
            self._due = None
        for future in due:
            if not future.done():
                future.set_result(None)


_lock = threading.Lock()
_wakes: WeakKeyDictionary[AbstractEventLoop, LoopWakes] = WeakKeyDictionary()


def wakes_here() -> LoopWakes:
    """The one of the loop that runs in this thread."""
    loop = get_running_loop()
    with _lock:
        found = _wakes.get(loop)
        if found is None:
            found = _wakes[loop] = LoopWakes(loop)
        return found
