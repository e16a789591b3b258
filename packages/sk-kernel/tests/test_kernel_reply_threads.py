"""Replies, cancellations and times from any thread: who waits or awaits is woken, once."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable

import pytest
from kernel_replies import success
from sk_kernel import ReplyWaiter, TerminalEvent
from sk_kernel.runtime import ReplyWaiterService


def test_a_reply_from_another_thread_wakes_a_blocked_wait() -> None:
    waiters = ReplyWaiterService()
    waiter = waiters.register("t", timeout_seconds=60)
    thread = threading.Thread(target=waiters.settle, args=[waiter, success("t", 7)])
    thread.start()
    assert waiter.wait().payload == 7
    thread.join()


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_an_end_from_another_thread_wakes_a_blocked_wait(end: str) -> None:
    waiters = ReplyWaiterService()
    waiter = waiters.register("t", timeout_seconds=60)
    thread = threading.Thread(target=waiter.cancel if end == "cancel" else waiters.close)
    thread.start()
    assert waiter.wait().status == "cancelled"
    thread.join()


class SignalledError(Exception):
    """What a handler raises."""


def test_a_wait_that_a_signal_handler_interrupts_cancels_its_request() -> None:
    subscribed, handled, main = threading.Event(), threading.Event(), threading.get_ident()

    class Telling(ReplyWaiterService):
        def subscribe(self, waiter: ReplyWaiter, wake: Callable[[], object]) -> bool:
            is_subscribed = super().subscribe(waiter, wake)
            subscribed.set()
            return is_subscribed

    def interrupt() -> None:
        subscribed.wait()
        # Again and again: one that comes just before the main thread waits does not end the wait.
        while not handled.wait(0.01):
            signal.pthread_kill(main, signal.SIGUSR1)

    def handle(number: int, _: object) -> None:
        if not handled.is_set():
            handled.set()
            raise SignalledError

    waiters = Telling(max_in_flight=1)
    waiter = waiters.register("t", timeout_seconds=60)
    thread = threading.Thread(target=interrupt)
    before = signal.signal(signal.SIGUSR1, handle)
    try:
        thread.start()
        with pytest.raises(SignalledError):
            waiter.wait()
        thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert waiter.outcome is not None
    assert waiter.outcome.status == "cancelled"
    assert waiters.in_flight == 0


def test_a_reply_from_another_thread_wakes_an_await() -> None:
    waiters = ReplyWaiterService()

    async def request() -> TerminalEvent:
        waiter = waiters.register("t", timeout_seconds=60)
        asyncio.get_running_loop().run_in_executor(None, waiters.settle, waiter, success("t", 7))
        return await waiter

    assert asyncio.run(request()).payload == 7


def test_an_await_of_what_has_ended_gives_its_outcome(waiters: ReplyWaiterService) -> None:
    async def request() -> TerminalEvent:
        waiter = waiters.register("t")
        waiters.settle(waiter, success("t", 7))
        return await waiter

    assert asyncio.run(request()).payload == 7


@pytest.mark.contract("REPLY-02")
def test_an_await_expires_by_itself() -> None:
    waiters = ReplyWaiterService()

    async def request() -> TerminalEvent:
        return await waiters.register("t", timeout_seconds=0.01)

    assert asyncio.run(request()).status == "timeout"
    assert waiters.counters().expired == 1


@pytest.mark.contract("REPLY-04")
def test_a_cancelled_await_unregisters() -> None:
    waiters = ReplyWaiterService()

    async def cancelled() -> ReplyWaiter:
        waiter = waiters.register("t", timeout_seconds=60)

        async def request() -> None:
            await waiter

        task = asyncio.create_task(request())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return waiter

    waiter = asyncio.run(cancelled())
    assert waiter.outcome is not None
    assert waiter.outcome.status == "cancelled"
    assert not waiters.settle(waiter, success("t"))
    counters = waiters.counters()
    assert (counters.cancelled, counters.late_reply_drop, counters.in_flight) == (1, 1, 0)


def test_a_reply_to_a_loop_that_is_gone_breaks_nothing() -> None:
    waiters = ReplyWaiterService()
    waiter = waiters.register("t", timeout_seconds=60)
    loop = asyncio.new_event_loop()

    async def request() -> TerminalEvent:
        return await waiter

    coroutine = request()
    task = loop.create_task(coroutine)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert waiters.settle(waiter, success("t", 1))
    assert waiter.wait().payload == 1
    with pytest.raises(asyncio.CancelledError):
        coroutine.throw(asyncio.CancelledError)
    del task


def race(*jobs: Callable[[], object]) -> None:
    """Run jobs in threads of their own, all from one moment on."""
    barrier = threading.Barrier(len(jobs))
    failures: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        barrier.wait(30)
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    threads = [threading.Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.contract("REPLY-01", "REPLY-03", "REPLY-06")
def test_threads_that_race_to_end_the_same_requests_end_each_once() -> None:
    count = 500
    waiters = ReplyWaiterService(max_in_flight=count)
    made = [waiters.register(str(n), timeout_seconds=3600) for n in range(count)]
    outcomes: dict[str, list[TerminalEvent]] = {"a": [], "b": []}

    def completing(payload: str) -> Callable[[], object]:
        return lambda: [waiters.settle(w, success(w.trace_id, payload)) for w in made]

    race(
        completing("first"),
        completing("second"),
        lambda: [w.cancel() for w in reversed(made)],
        lambda: [waiters.time_out(w) for w in made[::3]],
        lambda: outcomes["a"].extend(w.wait() for w in made),
        lambda: outcomes["b"].extend(w.wait() for w in reversed(made)),
    )
    assert outcomes["a"] == list(reversed(outcomes["b"]))
    counters = waiters.counters()
    assert counters.completed + counters.cancelled + counters.expired == count
    statuses = [outcome.status for outcome in outcomes["a"]]
    assert statuses.count("success") == counters.completed
    assert statuses.count("cancelled") == counters.cancelled
    assert statuses.count("timeout") == counters.expired
    dropped = counters.duplicate_terminal + counters.late_reply_drop
    assert dropped == 2 * count - counters.completed
