"""The event loop of a run in the caller's thread: made for it, and closed within a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # asyncio is imported where there is a coroutine: most runs have none
    import asyncio

#: A task that is cancelled at the end of a run, and goes on for so long, is left.
_LEAVE_SECONDS: Final = 1.0


def new_loop() -> asyncio.Runner:
    """A loop for a run's coroutines."""
    import asyncio

    return asyncio.Runner()


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
