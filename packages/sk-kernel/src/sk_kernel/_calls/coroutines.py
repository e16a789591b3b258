"""Running coroutine nodes from the runner's thread, outputs in the order of their inputs."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from sk_kernel._record.ends import ENDS

#: Coroutines of one node that may be under way at once.
CONCURRENT_COROUTINES = 64

#: Starts the coroutine for the record at an index of the batch.
Start = Callable[[int], Coroutine[Any, Any, Any]]


class CoroutineFailedError(Exception):
    """The coroutine for the record at ``index`` raised the ``__cause__``, none before it did."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


async def in_turn(start: Start, count: int) -> list[Any]:
    """Each record's result, one record at a time.

    :raises CoroutineFailedError: at the first record that fails.
    """
    out: list[Any] = []
    task = _this_task()
    for index in range(count):
        try:
            out.append(await start(index))
            if task.cancelling():
                raise asyncio.CancelledError  # else the next record would be cancelled
        except ENDS:
            raise
        except BaseException as error:
            raise CoroutineFailedError(index) from error
    return out


async def to_its_end(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine, so that its task can go on though the coroutine cancelled that.

    :raises asyncio.CancelledError: when it did.
    """
    task = _this_task()
    try:
        result = await coroutine
        if task.cancelling():
            await asyncio.sleep(0)  # raises CancelledError: the coroutine has not waited since
        return result
    finally:
        while task.cancelling():
            task.uncancel()


async def side_by_side(start: Start, count: int) -> list[Any]:
    """Each record's result, several records at a time; behind a failure no other is begun.

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
        # They are begun in their order: none in front of it has not been.
        first = min(causes)
        raise CoroutineFailedError(first) from causes[first]
    return out


def in_room(start: Start, room: asyncio.Semaphore) -> Start:
    """Start the coroutine of a record as ``start`` does, as soon as there is room for it."""

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
    """Each record's result, ``at_once`` records at a time; a failure ends no other record.

    Each has a task of its own, since it may cancel its task.

    :param due: until when each may take, by ``time.monotonic``: then its task is cancelled, once.
        Asked when it has been started.
    :param failed: gives what stands in the place of a result, of the index and what was raised.
    :param began: takes, before any has been started, what cancels those that have been; for any
        thread.
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
    """Coroutines that are begun in their order, so many at once: where one ends the next begins.

    Each has a task of its own. The thread of their loop only.

    :param ended: called with the index and the task of each that has ended, in the order in which
        they end. What it raises is raised by :meth:`passed`; then no more are begun.
    :param begun: called likewise when one has been begun, which has not run yet.
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
        """Begin them, and return when all that were begun have ended.

        Where whoever waits for that is cancelled, so are they; they are waited for all the same.
        """
        self._loop = asyncio.get_running_loop()
        self._over = self._loop.create_future()
        self._fill()
        if self._under_way:
            try:
                await self._over
            except asyncio.CancelledError:  # of whoever waits for all of them
                self.close()
                self.cancel()
                if self._under_way:  # the last one may have ended in the same moment
                    await asyncio.wait(self._under_way)
                raise
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        """Begin no more."""
        self._end = self._next

    def cancel(self) -> None:
        """Cancel those that are under way."""
        for task in self._under_way:
            self.cancel_one(task)

    def cancel_one(self, task: asyncio.Task[Any]) -> None:
        """Cancel one of them, unless it has been here: as it ends it may have to wait."""
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
    assert task is not None  # noqa: S101 - a loop runs nothing else
    return task


def _cause(task: asyncio.Task[Any]) -> BaseException | None:
    # Each is asked, or asyncio complains of an exception that nobody looked at.
    return asyncio.CancelledError() if task.cancelled() else task.exception()
