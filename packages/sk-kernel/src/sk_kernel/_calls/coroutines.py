"""Running coroutine nodes from the runner's thread; outputs are in the order of their inputs."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from sk_kernel._guard.ends import ENDS

#: The most coroutines of one node that may be in progress at once.
CONCURRENT_COROUTINES = 64

#: Starts the coroutine for the record at an index of the batch.
Start = Callable[[int], Coroutine[Any, Any, Any]]


class CoroutineFailedError(Exception):
    """The coroutine for the record at ``index`` raised the ``__cause__``; none before it failed."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


async def in_turn(start: Start, count: int) -> list[Any]:
    """Return each record's result, running one record at a time.

    :raises CoroutineFailedError: at the first record that fails.
    """
    out: list[Any] = []
    task = _this_task()
    for index in range(count):
        try:
            out.append(await start(index))
            if task.cancelling():
                raise asyncio.CancelledError  # otherwise the next record would be cancelled
        except ENDS:
            raise
        except BaseException as error:
            raise CoroutineFailedError(index) from error
    return out


async def to_its_end(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Await a coroutine, and undo a cancellation of its own task, so that the task can go on.

    :raises asyncio.CancelledError: when the coroutine cancelled its task.
    """
    task = _this_task()
    try:
        result = await coroutine
        if task.cancelling():
            await asyncio.sleep(0)  # raises CancelledError: the coroutine has not awaited since
        return result
    finally:
        while task.cancelling():
            task.uncancel()


async def side_by_side(start: Start, count: int) -> list[Any]:
    """Return each record's result, running several at a time; after a failure, start no other.

    :raises CoroutineFailedError: for the first record that failed, in their order.
    """
    out: list[Any] = [None] * count
    causes: dict[int, BaseException] = {}

    def ended(index: int, task: asyncio.Task[Any]) -> None:
        cause = _cause(task)
        if cause is None:
            out[index] = task.result()
        else:
            causes[index] = cause
            window.close()

    window = Window(start, count, CONCURRENT_COROUTINES, ended)
    await window.passed()
    if causes:
        # They are started in order, so all records before this one have been started.
        first = min(causes)
        raise CoroutineFailedError(first) from causes[first]
    return out


def in_room(start: Start, room: asyncio.Semaphore) -> Start:
    """Return a function that starts a coroutine like ``start`` once ``room`` allows it."""

    async def within(index: int) -> Any:
        async with room:
            return await start(index)

    return within


async def apart(
    start: Start,
    count: int,
    due: Callable[[int], float],
    at_once: int,
    failed: Callable[[int, BaseException], Any],
    began: Callable[[Callable[[], object]], object],
) -> list[Any]:
    """Return each record's result, ``at_once`` records at a time; a failure ends no other record.

    Each has a task of its own, since it may cancel its task.

    :param due: returns until when each may take, by ``time.monotonic``: then its task is cancelled,
        once. Called when the task has been created.
    :param failed: returns the value that replaces a result, from the index and the exception.
    :param began: called before any task is created, with a function that cancels the running ones
        and that any thread may call.
    """
    loop = asyncio.get_running_loop()
    out: list[Any] = [None] * count
    alarms: dict[int, asyncio.TimerHandle] = {}

    def begun(index: int, task: asyncio.Task[Any]) -> None:
        until = due(index)
        if until < math.inf:
            left = max(until - time.monotonic(), 0.0)
            alarms[index] = loop.call_later(left, window.cancel_one, task)

    def ended(index: int, task: asyncio.Task[Any]) -> None:
        if index in alarms:
            alarms.pop(index).cancel()
        cause = _cause(task)
        out[index] = task.result() if cause is None else failed(index, cause)

    window = Window(start, count, at_once, ended, begun)
    began(partial(loop.call_soon_threadsafe, window.cancel))
    await window.passed()
    return out


class Window:
    """Starts coroutines in order, a limited number at once: when one ends, the next begins.

    Each has a task of its own. Use it only in the thread of their loop.

    :param ended: called with the index and the task of each that has ended, in the order in which
        they end. An exception that it raises is raised by :meth:`passed`, and no more are started.
    :param begun: called likewise with each task that was created and has not run yet.
    """

    def __init__(
        self,
        start: Start,
        count: int,
        at_once: int,
        ended: Callable[[int, asyncio.Task[Any]], object],
        begun: Callable[[int, asyncio.Task[Any]], object] | None = None,
    ) -> None:
        self._start, self._at_once = start, at_once
        self._tell_ended, self._tell_begun = ended, begun
        self._next, self._end = 0, count
        self._under_way: set[asyncio.Task[Any]] = set()
        self._cancelled: set[asyncio.Task[Any]] = set()
        self._fault: BaseException | None = None

    async def passed(self) -> None:
        """Start the coroutines, and return when all that were started have ended.

        If the caller of this method is cancelled, so are they; it still waits until they have
        ended.
        """
        self._loop = asyncio.get_running_loop()
        self._over = self._loop.create_future()
        self._fill()
        if self._under_way:
            try:
                await self._over
            except asyncio.CancelledError:  # the task that awaits passed() was cancelled
                self.close()
                self.cancel()
                if self._under_way:  # the last one may have ended at the same moment
                    await asyncio.wait(self._under_way)
                raise
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        """Start no more."""
        self._end = self._next

    def cancel(self) -> None:
        """Cancel the running ones."""
        for task in self._under_way:
            self.cancel_one(task)

    def cancel_one(self, task: asyncio.Task[Any]) -> None:
        """Cancel one of them, only once: it may have to await something as it ends."""
        if task not in self._cancelled:
            self._cancelled.add(task)
            task.cancel()

    def _fill(self) -> None:
        try:
            while self._next < self._end and len(self._under_way) < self._at_once:
                index = self._next
                self._next += 1
                task = self._loop.create_task(self._start(index))
                self._under_way.add(task)
                task.add_done_callback(partial(self._landed, index))
                if self._tell_begun is not None:
                    self._tell_begun(index, task)
        except Exception as error:  # noqa: BLE001 - raised by passed()
            self._fail(error)

    def _landed(self, index: int, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        self._cancelled.discard(task)
        try:
            self._tell_ended(index, task)
        except BaseException as error:  # noqa: BLE001 - raised by passed()
            self._fail(error)
        self._fill()
        if not self._under_way and not self._over.done():
            self._over.set_result(None)

    def _fail(self, error: BaseException) -> None:
        self._fault = self._fault or error
        self.close()


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a loop runs only tasks here
    return task


def _cause(task: asyncio.Task[Any]) -> BaseException | None:
    # Always ask for the exception: asyncio logs one that was never retrieved.
    return asyncio.CancelledError() if task.cancelled() else task.exception()
