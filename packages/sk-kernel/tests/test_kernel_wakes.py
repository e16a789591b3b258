"""Waking what awaits a reply: late, by others that fail, and on loops that are gone."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from sk_kernel import ReplyWaiter, TerminalEvent
from sk_kernel._replies.loop_wakes import LoopWakes, wakes_here
from sk_kernel.runtime import ReplyWaiterService


def test_an_await_ends_in_time_though_another_waker_has_failed() -> None:
    waiters = ReplyWaiterService()

    def fails() -> None:
        raise OSError("not now")

    async def asks() -> TerminalEvent:
        waiter = waiters.register("t", timeout_seconds=1)
        assert waiters.subscribe(waiter, fails)
        task = asyncio.ensure_future(waited(waiter))
        await asyncio.sleep(0)
        with pytest.raises(OSError, match="not now"):
            waiters.settle(waiter, TerminalEvent("t", "success", 42))
        return await asyncio.wait_for(task, 30)

    async def waited(waiter: ReplyWaiter) -> TerminalEvent:
        return await waiter

    assert asyncio.run(asks()) == TerminalEvent("t", "success", 42)


@pytest.mark.parametrize("closed", ["before the wake", "behind it"])
def test_a_loop_that_is_closed_is_not_kept_by_what_was_to_be_woken_on_it(closed: str) -> None:
    loop = asyncio.new_event_loop()
    waiters = ReplyWaiterService()

    async def minded() -> LoopWakes:
        waiter = waiters.register("t")
        wakes_here().mind(waiters, waiter.due)
        return wakes_here()

    wakes, future = loop.run_until_complete(minded()), loop.create_future()
    if closed == "before the wake":
        loop.close()
    wakes.wake(future)
    loop.close()
    known = weakref.ref(loop)
    del loop, future
    gc.collect()
    assert known() is None


def test_awaits_of_one_loop_expire_each_at_its_own_time() -> None:
    waiters = ReplyWaiterService()

    async def asks() -> list[str]:
        ended: list[str] = []
        asked: dict[str, ReplyWaiter] = {}

        async def ask(name: str, seconds: float) -> None:
            asked[name] = waiters.register(name, timeout_seconds=seconds)
            ended.append(f"{name}: {(await asked[name]).status}")

        limits = {"late": 0.15, "never": 60.0, "soon": 0.01, "between": 0.05}
        several = [asyncio.ensure_future(ask(name, limit)) for name, limit in limits.items()]
        await asyncio.gather(several[0], *several[2:])
        waiters.settle(asked["never"], TerminalEvent("never", "success"))
        await several[1]
        return ended

    awaited = ["soon: timeout", "between: timeout", "late: timeout", "never: success"]
    assert asyncio.run(asks()) == awaited


def test_a_waker_that_raises_keeps_no_await_from_its_own_due_time() -> None:
    waiters = ReplyWaiterService()

    def fails() -> None:
        raise ValueError("of a waker")

    async def asks() -> list[str]:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        first = waiters.register("first", timeout_seconds=0.01)
        waiters.subscribe(first, fails)

        async def ask(waiter: ReplyWaiter) -> str:
            return (await waiter).status

        second = waiters.register("second", timeout_seconds=0.05)
        return list(await asyncio.gather(ask(first), ask(second)))

    assert asyncio.run(asyncio.wait_for(asks(), 30)) == ["timeout", "timeout"]


def test_a_service_that_nobody_has_any_more_is_not_kept_by_the_timer_of_a_loop() -> None:
    async def asks() -> None:
        waiters = ReplyWaiterService()
        known = weakref.ref(waiters)
        waiter = waiters.register("t", timeout_seconds=3600)
        wakes_here().mind(waiters, waiter.due)
        waiters.settle(waiter, TerminalEvent("t", "success"))
        del waiters, waiter
        gc.collect()
        assert known() is None

    asyncio.run(asks())


def test_a_task_that_only_its_future_holds_is_woken() -> None:
    waiters, ended = ReplyWaiterService(), asyncio.Event()
    asked: list[ReplyWaiter] = []

    async def ask() -> None:
        asked.append(waiters.register("t", timeout_seconds=60))
        await asked[0]
        ended.set()

    async def asks() -> None:
        asyncio.create_task(ask())  # noqa: RUF006 - nobody keeps it
        await asyncio.sleep(0)
        # Between the outcome and the loop's turn, which is when a collection may come.
        waiters.settle(asked.pop(), TerminalEvent("t", "success"))
        gc.collect()
        await asyncio.wait_for(ended.wait(), 30)

    asyncio.run(asks())
