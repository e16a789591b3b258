"""Wake coroutines of an event loop: one call into the loop for many of them, one timer for all.

A call into a loop from another thread costs a system call. Many replies come in one frame, most of
them for the same loop, and hardly any request times out.
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
    """Futures to resolve. Only the pending call into their loop may own them: they own the loop."""


class LoopWakes:
    """Resolves futures of one loop from any thread, and runs timers in that loop for due times."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = ref(loop)  # weak, so that the loop can be garbage-collected
        self._lock = threading.Lock()
        # Weak as well, since a future refers to its loop; the call scheduled in the loop owns it.
        self._due: ref[_Due] | None = None
        self._timers: WeakKeyDictionary[WaiterOwner, tuple[float, ref[TimerHandle]]] = (
            WeakKeyDictionary()
        )

    def future(self) -> Future[None]:
        """Return a future to await and to :meth:`wake`. Call this in the loop's thread."""
        return get_running_loop().create_future()

    def wake(self, future: Future[None]) -> None:
        """Schedule a future to be resolved by the loop. Any thread may call this."""
        with self._lock:
            due = self._due() if self._due else None
            if due is not None:
                due.append(future)
                return  # the call scheduled for the first future is still pending
            due = _Due([future])
            self._due = ref(due)
        loop = self._loop()
        if loop is not None:
            with suppress(RuntimeError):  # The loop is closed: nothing awaits any more.
                loop.call_soon_threadsafe(self._resolve, due)

    def mind(self, holder: WaiterOwner, due: float) -> None:
        """Call ``holder.expire`` at the time ``due`` of its clock. Call this in the loop's thread.

        Each holder has one timer, for its earliest due time: a later due time sets no timer.
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
        finally:  # the callbacks that expire() runs may raise
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
    """Return the :class:`LoopWakes` of the loop that runs in this thread.

    :raises RuntimeError: when no loop runs in this thread.
    """
    loop = get_running_loop()
    with _lock:
        found = _wakes.get(loop)
        if found is None:
            found = _wakes[loop] = LoopWakes(loop)
        return found
