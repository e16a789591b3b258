"""Waking what awaits a reply: late, by others that fail, and on loops that are gone."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from sk_kernel import ReplyWaiter, ReplyWaiterService, TerminalEvent
from sk_kernel._loop_wakes import wakes_of


def test_an_await_ends_in_time_though_another_waker_has_failed() -> None:
    waiters = ReplyWaiterService()

    def fails() -> None:
        raise OSError("not now")

    async def asks() -> TerminalEvent:
        waiter = waiters.register("t", timeout_seconds=0.2)
        assert waiters.subscribe(waiter, fails)
        task = asyncio.ensure_future(waited(waiter))
        await asyncio.sleep(0)
        with pytest.raises(OSError, match="not now"):
            waiters.complete(TerminalEvent("t", "success", 42))
        return await asyncio.wait_for(task, 10)

    async def waited(waiter: ReplyWaiter) -> TerminalEvent:
        return await waiter

    assert asyncio.run(asks()) == TerminalEvent("t", "success", 42)


@pytest.mark.parametrize("closed", ["before the wake", "behind it"])
def test_a_loop_that_is_closed_is_not_kept_by_what_was_to_be_woken_on_it(closed: str) -> None:
    loop = asyncio.new_event_loop()
    wakes, future = wakes_of(loop), loop.create_future()
    if closed == "before the wake":
        loop.close()
    wakes.wake(future)
    loop.close()
    known = weakref.ref(loop)
    del loop, future
    gc.collect()
    assert known() is None
