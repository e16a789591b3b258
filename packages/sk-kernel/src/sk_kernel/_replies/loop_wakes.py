"""Waking what awaits on an event loop: one call into the loop for many, and one timer for all.

A call into a loop from another thread is a system call. Many replies come in one frame, most of
them for one loop, and hardly any request ever runs out of time.
"""

from __future__ import annotations

import threading
from asyncio import AbstractEventLoop, Future, TimerHandle, get_running_loop
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

if TYPE_CHECKING:
    from sk_kernel._replies.waiter import WaiterOwner


class _Due(list[Future[None]]):
    """Futures to resolve. Only the call into their loop may hold them, or they keep it alive."""


class LoopWakes:
    """Resolves futures of one loop from any thread, and keeps a timer there for due times."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = ref(loop)  # which must be able to go
        self._lock = threading.Lock()
        # Weakly too, for each future has its loop: the call that the loop has been given holds it.
        self._due: ref[_Due] | None = None
        self._timers: WeakKeyDictionary[WaiterOwner, tuple[float, ref[TimerHandle]]] = (
            WeakKeyDictionary()
        )

    def future(self) -> Future[None]:
        """A future to await and to :meth:`wake`; called in the loop's thread."""
        return get_running_loop().create_future()

    def wake(self, future: Future[None]) -> None:
        """Resolve a future as soon as the loop comes to it. Any thread."""
        with self._lock:
            due = self._due() if self._due else None
            if due is not None:
                due.append(future)
                return  # the call that was made for the first of them is still to come
            due = _Due([future])
            self._due = ref(due)
        loop = self._loop()
        if loop is not None:
            with suppress(RuntimeError):  # It is closed: nobody awaits any more.
                loop.call_soon_threadsafe(self._resolve, due)

    def mind(self, holder: WaiterOwner, due: float) -> None:
        """Have ``holder`` expire what is due, at the time ``due`` of its clock. The loop's thread.

        Each holder has one timer, for the first of its due times: a later one costs nothing here.
        """
        timer = self._timers.get(holder)
        if timer is not None:
            if timer[0] <= due:
                return
            handle = timer[1]()
            if handle is not None:
                handle.cancel()
        left = max(due - holder.now(), 0.0)
        handle = get_running_loop().call_later(left, self._ring, ref(holder))
        self._timers[holder] = due, ref(handle)

    def _ring(self, minded: ref[WaiterOwner]) -> None:
        holder = minded()
        if holder is None:
            return
        due, _ = self._timers.pop(holder)
        try:
            holder.expire(due)
        finally:  # what expire() wakes may raise
            following = holder.next_due()
            if following is not None:
                self.mind(holder, following)

    def _resolve(self, due: _Due) -> None:
        with self._lock:
            self._due = None
        for future in due:
            if not future.done():
                future.set_result(None)


_lock = threading.Lock()
_wakes: WeakKeyDictionary[AbstractEventLoop, LoopWakes] = WeakKeyDictionary()


def wakes_here() -> LoopWakes:
    """The :class:`LoopWakes` of the loop that runs in this thread.

    :raises RuntimeError: when none does.
    """
    loop = get_running_loop()
    with _lock:
        found = _wakes.get(loop)
        if found is None:
            found = _wakes[loop] = LoopWakes(loop)
        return found
