"""Requests that wait in coroutines of a worker while its main thread does other work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from sk_kernel.runtime import Outcomes

from sk_supervisor._worker.inbox import Inbox


class Overlap:
    """Requests under way on the event loop of the worker's coroutine nodes. Main thread only.

    They make progress in :meth:`get_on` and :meth:`wait`, and while other code runs the loop.
    """

    def __init__(self, loop: asyncio.Runner) -> None:
        self._runner = loop
        self._under_way: set[asyncio.Task[tuple[int, Outcomes]]] = set()
        self._ended: list[asyncio.Task[tuple[int, Outcomes]]] = []
        self._turning = False

    def __len__(self) -> int:
        """The number of requests that are under way, or ended and not returned by :meth:`ended`."""
        return len(self._under_way) + len(self._ended)

    def begin(self, request: Coroutine[Any, Any, tuple[int, Outcomes]]) -> None:
        """Begin a request; its coroutine returns its outcomes and the index of its segment."""
        task = self._runner.get_loop().create_task(request)
        self._under_way.add(task)
        task.add_done_callback(self._land)

    def get_on(self) -> None:
        """Let the requests make the progress that is possible without waiting."""
        self._runner.get_loop().call_soon(self._stop)
        self._run()

    def wait(self, inbox: Inbox, enough: Callable[[], bool]) -> None:
        """Run the loop until a request has ended, or ``enough()`` is true, perhaps at once.

        :param enough: called again whenever an item is put into the inbox.
        """
        if enough():
            self.get_on()
            return
        loop = self._runner.get_loop()
        with inbox.waking(lambda: loop.call_soon_threadsafe(self._stop)):
            # An item that was put before waking() is noticed by this first enough().
            while self._under_way and not self._ended and not enough():
                self._run()

    def end(self, seconds: float) -> None:
        """Run the loop until all requests have ended, or the time is over."""
        loop = self._runner.get_loop()
        until = loop.time() + seconds
        alarm = loop.call_later(seconds, self._stop)
        while self._under_way and loop.time() < until:
            self._run()
        alarm.cancel()

    def _run(self) -> None:
        self._turning = True
        try:
            self._runner.get_loop().run_forever()
        finally:
            self._turning = False

    def ended(self) -> list[tuple[int, Outcomes]]:
        """The segments and outcomes of the requests that have ended since the previous call.

        :raises DeadLetterError: when a dead letter cannot be written.
        """
        ended, self._ended = self._ended, []
        return [task.result() for task in ended]

    def _land(self, task: asyncio.Task[tuple[int, Outcomes]]) -> None:
        self._under_way.discard(task)
        self._ended.append(task)
        self._stop()

    def _stop(self) -> None:
        if self._turning:  # otherwise other code runs the loop, and must not be stopped
            self._runner.get_loop().stop()
