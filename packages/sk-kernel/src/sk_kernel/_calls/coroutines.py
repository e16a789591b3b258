"""Running coroutine nodes from the runner's thread, outputs in the order of their inputs."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Coroutine, Sequence
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
    """Each record's result, several records at a time.

    :raises CoroutineFailedError: for the first record that failed, in their order.
    """
    out: list[Any] = []
    for first in range(0, count, CONCURRENT_COROUTINES):
        indices = range(first, min(first + CONCURRENT_COROUTINES, count))
        tasks = [asyncio.create_task(start(index)) for index in indices]
        await asyncio.wait(tasks)
        out += _results(tasks, first)
    return out


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
    :param began: takes, as soon as some have been started, what cancels these; for any thread.
    """
    loop = asyncio.get_running_loop()
    out: list[Any] = []
    for first in range(0, count, at_once):
        indices = range(first, min(first + at_once, count))
        tasks = [asyncio.create_task(start(index)) for index in indices]
        began(partial(loop.call_soon_threadsafe, partial(_cancel, tasks)))
        await _in_time({task: due(index) for task, index in zip(tasks, indices, strict=True)})
        for index, cause in enumerate(_causes(tasks), first):
            out.append(tasks[index - first].result() if cause is None else failed(index, cause))
    return out


async def _in_time(due: dict[asyncio.Task[Any], float]) -> None:
    """Wait until all have ended; each is cancelled when it is due."""
    pending = set(due)
    while pending:
        soonest = min(due[task] for task in pending)
        left = None if soonest == math.inf else max(soonest - time.monotonic(), 0.0)
        _, pending = await asyncio.wait(pending, timeout=left)
        now = time.monotonic()
        for task in pending:
            if due[task] <= now:
                due[task] = math.inf
                task.cancel()


def _cancel(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a loop runs nothing else
    return task


def _causes(tasks: Sequence[asyncio.Task[Any]]) -> list[BaseException | None]:
    # All are asked, or asyncio complains of an exception that nobody looked at.
    return [asyncio.CancelledError() if t.cancelled() else t.exception() for t in tasks]


def _results(tasks: Sequence[asyncio.Task[Any]], first: int) -> list[Any]:
    causes = _causes(tasks)
    for index, cause in enumerate(causes, first):
        if cause is not None:
            raise CoroutineFailedError(index) from cause
    return [task.result() for task in tasks]
