"""Waking what awaits on an event loop, from other threads: one call into the loop for many of them.

A call into a loop from another thread is a system call. Replies come by the frame, and those that
wait for them are mostly on one loop.
"""

from __future__ import annotations

import threading
from asyncio import AbstractEventLoop, Future
from weakref import WeakKeyDictionary, ref


class LoopWakes:
    """Resolves futures of one loop."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = ref(loop)  # which must be able to go
        self._lock = threading.Lock()
        # Weakly too, for each has its loop: what awaits it holds it.
        self._due: list[ref[Future[None]]] = []

    def wake(self, future: Future[None]) -> None:
        """Resolve a future, soon. Any thread."""
        with self._lock:
            self._due.append(ref(future))
            if len(self._due) > 1:
                return  # whoever came first has called
        loop = self._loop()
        try:
            if loop is not None:
                loop.call_soon_threadsafe(self._resolve)
        except RuntimeError:  # It is closed: nobody awaits any more.
            with self._lock:
                self._due.clear()

    def _resolve(self) -> None:
        with self._lock:
            due, self._due = self._due, []
        for each in due:
            future = each()
            if future is not None and not future.done():
                future.set_result(None)


_lock = threading.Lock()
_wakes: WeakKeyDictionary[AbstractEventLoop, LoopWakes] = WeakKeyDictionary()


def wakes_of(loop: AbstractEventLoop) -> LoopWakes:
    """The one of a loop."""
    with _lock:
        found = _wakes.get(loop)
        if found is None:
            found = _wakes[loop] = LoopWakes(loop)
        return found
