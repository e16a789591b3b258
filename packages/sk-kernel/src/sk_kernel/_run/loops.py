"""The event loop of a run in the caller's thread, which is closed within a time limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sk_kernel.errors import LifecycleCallError

if TYPE_CHECKING:  # asyncio is imported only if there is a coroutine: most runs have none
    import asyncio

#: How long, in seconds, a task cancelled at the end of a run may take before it is abandoned.
_LEAVE_SECONDS: Final = 1.0
_RUNNING: Final = (
    "an event loop is running in this thread (a notebook, an async test), and no other can beside"
    " it: have another thread do this, by await asyncio.to_thread(...)"
)


def new_loop() -> asyncio.Runner:
    """Create an event loop for the coroutines of a run.

    :raises LifecycleCallError: when an event loop is already running in this thread.
    """
    import asyncio

    if asyncio._get_running_loop() is not None:
        raise LifecycleCallError("coroutine nodes", _RUNNING)
    return asyncio.Runner()


@contextmanager
def loop_if(*, needed: bool) -> Iterator[asyncio.Runner | None]:
    """Give the block an event loop, or None if none is ``needed``.

    :raises LifecycleCallError: when an event loop is already running in this thread.
    """
    if not needed:
        yield None
        return
    with new_loop() as loop:
        yield loop


def close_loop(runner: asyncio.Runner) -> None:
    """Cancel all tasks and close the loop; a task that does not end in time is abandoned."""
    import asyncio

    loop = runner.get_loop()
    tasks = asyncio.all_tasks(loop)
    if tasks and runner.run(_cancelled(tasks)):
        loop.close()
    else:
        runner.close()


async def _cancelled(tasks: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """Cancel tasks, and return those that have not ended within the time limit."""
    import asyncio

    for task in tasks:
        task.cancel()
    return (await asyncio.wait(tasks, timeout=_LEAVE_SECONDS))[1]
