"""The event loop of a run in the caller's thread: made for it, and closed within a bound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sk_kernel.errors import LifecycleCallError

if TYPE_CHECKING:  # asyncio is imported where there is a coroutine: most runs have none
    import asyncio

#: A task that is cancelled at the end of a run, and goes on for so long, is left.
_LEAVE_SECONDS: Final = 1.0
_RUNNING: Final = (
    "an event loop is running in this thread (a notebook, an async test), and no other can beside"
    " it: have another thread do this, by await asyncio.to_thread(...)"
)


def new_loop() -> asyncio.Runner:
    """An event loop for the coroutines of a run.

    :raises LifecycleCallError: when an event loop runs in this thread already.
    """
    import asyncio

    if asyncio._get_running_loop() is not None:
        raise LifecycleCallError("coroutine nodes", _RUNNING)
    return asyncio.Runner()


@contextmanager
def loop_if(*, needed: bool) -> Iterator[asyncio.Runner | None]:
    """An event loop for the duration of the block, or None if none is ``needed``.

    :raises LifecycleCallError: when an event loop runs in this thread already.
    """
    if not needed:
        yield None
        return
    with new_loop() as loop:
        yield loop


def close_loop(runner: asyncio.Runner) -> None:
    """Cancel what is under way, and close the loop; a task that does not heed that is left."""
    import asyncio

    loop = runner.get_loop()
    tasks = asyncio.all_tasks(loop)
    if tasks and runner.run(_cancelled(tasks)):
        loop.close()
    else:
        runner.close()


async def _cancelled(tasks: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """Which of these go on though they are told to end, and have had time for it."""
    import asyncio

    for task in tasks:
        task.cancel()
    return (await asyncio.wait(tasks, timeout=_LEAVE_SECONDS))[1]
