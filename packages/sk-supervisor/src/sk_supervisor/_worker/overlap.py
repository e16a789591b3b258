"""Requests that wait in coroutines of a worker, while its main thread does other things."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from sk_kernel.runtime import Outcomes

from sk_supervisor._worker.inbox import Inbox


class Overlap:
    """Requests under way on the loop of the worker's coroutine nodes. Its main thread only.

    They get on in :meth:`get_on` and in :meth:`wait`, and while others run the loop.
    """

    def __init__(self, loop: asyncio.Runner) -> None:
        self._runner = loop
        self._under_way: set[asyncio.Task[tuple[int, Outcomes]]] = set()
        self._ended: list[asyncio.Task[tuple[int, Outcomes]]] = []
        self._turning = False

    def __len__(self) -> int:
        """How many are under way, or have ended and have not been asked for."""
        return len(self._under_way) + len(self._ended)

    def begin(self, request: Coroutine[Any, Any, tuple[int, Outcomes]]) -> None:
        """Take one; it gives what has come of it, and in which segment."""
        task = self._runner.get_loop().create_task(request)
        self._under_way.add(task)
        task.add_done_callback(self._land)

    def get_on(self) -> None:
        """Let them get on as far as they can without waiting."""
        self._runner.get_loop().call_soon(self._stop)
        self._run()

    def wait(self, inbox: Inbox, enough: Callable[[], bool]) -> None:
        """Let them get on until one has ended, or it is ``enough``, which may be so at once.

        :param enough: asked again whenever something is put into the inbox.
        """
        if enough():
            self.get_on()
            return
        loop = self._runner.get_loop()
        with inbox.waking(lambda: loop.call_soon_threadsafe(self._stop)):
            # What was put there before there was anybody to wake is seen here.
            while self._under_way and not self._ended and not enough():
                self._run()

    def end(self, seconds: float) -> None:
        """Let all of them end, but for those that are under way still when the time is over."""
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
        """What has come of those that have ended since this was asked.

        :raises DeadLetterError: when what a node gave up cannot be written.
        """
        ended, self._ended = self._ended, []
        return [task.result() for task in ended]

    def _land(self, task: asyncio.Task[tuple[int, Outcomes]]) -> None:
        self._under_way.discard(task)
        self._ended.append(task)
        self._stop()

    def _stop(self) -> None:
        if self._turning:  # else it is somebody else who runs the loop, and may not be stopped
            self._runner.get_loop().stop()
