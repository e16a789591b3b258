"""Waiters for replies: one outcome each, counted, under the caller's own trace id."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable

import pytest
from sk_kernel import (
    ReplyCounters,
    ReplyEvent,
    ReplyWaiterService,
    RequestsClosedError,
    TerminalEvent,
    TooManyAliasesError,
    TooManyRequestsError,
    TraceInUseError,
)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def waiters(clock: Clock) -> ReplyWaiterService:
    return ReplyWaiterService(clock=clock, max_in_flight=4, remember=8)


def success(trace_id: str, payload: object = None) -> TerminalEvent:
    return TerminalEvent(trace_id, "success", payload)


@pytest.mark.contract("REPLY-01")
def test_a_waiter_receives_exactly_one_success(waiters: ReplyWaiterService) -> None:
    waiter = waiters.register("t", "web", 5)
    assert not waiter.done()
    assert waiters.complete(success("t", 42))
    assert waiter.wait() == waiter.wait() == success("t", 42)
    assert waiters.counters() == ReplyCounters(registered=1, completed=1, remembered=1)


@pytest.mark.contract("REPLY-01")
def test_a_terminal_of_any_status_completes_its_waiter(waiters: ReplyWaiterService) -> None:
    failed = TerminalEvent("t", "error", category="execution", node="n", cause_type="KeyError")
    waiter = waiters.register("t")
    waiters.complete(failed)
    assert waiter.wait() == failed
    assert waiters.counters().completed == 1


@pytest.mark.contract("REPLY-02")
def test_a_timeout_unregisters_with_the_one_outcome_of_a_timeout(
    waiters: ReplyWaiterService, clock: Clock
) -> None:
    waiter = waiters.register("t", timeout_seconds=5)
    assert waiters.next_due() == 105.0
    clock.seconds = 104.9
    assert waiters.expire() == 0
    clock.seconds = 105.0
    assert waiters.expire() == 1
    expected = TerminalEvent("t", "timeout", error="no reply in time", category="timeout")
    assert waiter.wait() == expected
    assert waiters.next_due() is None
    assert waiters.counters() == ReplyCounters(registered=1, expired=1, remembered=1)


@pytest.mark.contract("REPLY-02", "REPLY-05")
def test_what_is_overdue_is_expired_though_nobody_drove_the_clock(
    waiters: ReplyWaiterService, clock: Clock
) -> None:
    """The outcome is a matter of times alone: not of whether someone looked in between."""
    completed = waiters.register("completed", timeout_seconds=5)
    clock.seconds += 5
    assert not waiters.complete(success("completed"))
    cancelled = waiters.register("cancelled", timeout_seconds=5)
    clock.seconds += 5
    assert not cancelled.cancel()
    closed = waiters.register("closed", timeout_seconds=5)
    clock.seconds += 5
    assert waiters.close() == 0
    assert [w.wait().status for w in (completed, cancelled, closed)] == ["timeout"] * 3


@pytest.mark.contract("REPLY-02")
def test_registering_expires_what_is_overdue(waiters: ReplyWaiterService, clock: Clock) -> None:
    """Also when it is what makes room for the new one."""
    old = [waiters.register(f"old {i}", timeout_seconds=1) for i in range(4)]
    clock.seconds += 1
    waiters.register("new")
    assert all(waiter.done() for waiter in old)
    assert waiters.in_flight_ids() == ("new",)


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_request_without_time_is_due_at_once(waiters: ReplyWaiterService, timeout: float) -> None:
    waiter = waiters.register("t", timeout_seconds=timeout)
    assert waiters.expire() == 1
    assert waiter.wait().status == "timeout"


def test_no_request_is_in_flight_for_more_than_a_day(waiters: ReplyWaiterService) -> None:
    assert waiters.register("t", timeout_seconds=float("inf")).due == 100.0 + 86_400


@pytest.mark.contract("REPLY-02")
def test_a_blocked_wait_expires_by_itself() -> None:
    waiters = ReplyWaiterService()
    assert waiters.register("t", timeout_seconds=0.01).wait().status == "timeout"
    assert waiters.counters().expired == 1


@pytest.mark.contract("REPLY-02")
def test_a_wait_that_is_shorter_than_the_request_may_take_expires_it() -> None:
    waiters = ReplyWaiterService()
    waiter = waiters.register("t", timeout_seconds=3600)
    assert waiter.wait(0.01) == waiter.wait() == waiter.outcome
    assert waiters.counters() == ReplyCounters(registered=1, expired=1, remembered=1)


@pytest.mark.contract("REPLY-03")
def test_a_duplicate_terminal_does_not_complete_twice(waiters: ReplyWaiterService) -> None:
    waiter = waiters.register("t")
    assert [waiters.complete(success("t", n)) for n in range(3)] == [True, False, False]
    assert waiter.wait().payload == 0
    assert waiters.counters().duplicate_terminal == 2
    assert waiters.counters().late_reply_drop == 0


@pytest.mark.contract("REPLY-04")
def test_cancellation_unregisters_with_the_one_outcome_of_a_cancellation(
    waiters: ReplyWaiterService,
) -> None:
    waiter = waiters.register("t")
    assert waiter.cancel()
    assert not waiter.cancel()
    assert not waiters.cancel("t")
    assert waiter.wait() == TerminalEvent(
        "t", "cancelled", error="cancelled by the caller", category="cancelled"
    )
    assert waiters.counters() == ReplyCounters(registered=1, cancelled=1, remembered=1)


def test_an_ended_waiter_cannot_cancel_the_next_request_of_its_trace_id(
    waiters: ReplyWaiterService,
) -> None:
    old = waiters.register("t")
    waiters.complete(success("t"))
    new = waiters.register("t")
    assert not old.cancel()
    assert waiters.cancel("t")
    assert (old.wait().status, new.wait().status) == ("success", "cancelled")


@pytest.mark.contract("REPLY-05")
@pytest.mark.parametrize("end", ["cancel", "time out"])
def test_a_terminal_after_the_end_is_late_and_dropped(
    waiters: ReplyWaiterService, clock: Clock, end: str
) -> None:
    waiter = waiters.register("t", timeout_seconds=1)
    if end == "cancel":
        waiter.cancel()
    clock.seconds += 1
    assert not waiters.complete(success("t"))
    assert not waiters.complete(success("t"))
    assert waiter.wait().status != "success"
    assert (waiters.counters().late_reply_drop, waiters.counters().duplicate_terminal) == (2, 0)


@pytest.mark.contract("REPLY-05")
def test_a_terminal_that_nobody_asked_for_is_late(waiters: ReplyWaiterService) -> None:
    assert not waiters.complete(success("stranger"))
    assert waiters.counters() == ReplyCounters(late_reply_drop=1)


@pytest.mark.contract("REPLY-05")
def test_a_duplicate_is_told_from_a_late_one_among_the_last_that_ended(
    waiters: ReplyWaiterService,
) -> None:
    for n in range(9):
        waiters.register(str(n))
        waiters.complete(success(str(n)))
    waiters.complete(success("0"))
    assert (waiters.counters().late_reply_drop, waiters.counters().duplicate_terminal) == (1, 0)
    waiters.complete(success("1"))
    assert (waiters.counters().late_reply_drop, waiters.counters().duplicate_terminal) == (1, 1)
    assert waiters.counters().remembered == 8


@pytest.mark.contract("REPLY-05")
def test_a_trace_id_used_again_starts_afresh(waiters: ReplyWaiterService) -> None:
    """Its late terminals are late, whatever became of the earlier request."""
    waiters.register("t")
    waiters.complete(success("t"))
    waiters.register("t").cancel()
    waiters.complete(success("t"))
    assert (waiters.counters().late_reply_drop, waiters.counters().duplicate_terminal) == (1, 0)


@pytest.mark.contract("REPLY-06")
def test_every_counter_counts_its_own(waiters: ReplyWaiterService, clock: Clock) -> None:
    done, dropped, late, open_ = (
        waiters.register(name, timeout_seconds=1 if name == "late" else 9)
        for name in ("done", "dropped", "late", "open")
    )
    with pytest.raises(TooManyRequestsError):
        waiters.register("one too many")
    waiters.complete(success("done"))
    waiters.complete(success("done"))
    dropped.cancel()
    clock.seconds += 1
    waiters.complete(success("late"))
    assert waiters.counters() == ReplyCounters(
        registered=4,
        completed=1,
        cancelled=1,
        expired=1,
        duplicate_terminal=1,
        late_reply_drop=1,
        in_flight=1,
        refused=1,
        remembered=3,
    )
    assert [w.done() for w in (done, dropped, late, open_)] == [True, True, True, False]


@pytest.mark.contract("REPLY-07")
def test_diagnostics_carry_no_payload_no_reply_to_and_no_error_text(clock: Clock) -> None:
    events: list[ReplyEvent] = []
    waiters = ReplyWaiterService(clock=clock, on_event=events.append, max_in_flight=3)
    for name in ("done", "late", "given up"):
        waiters.register(name, "secret-address", 1 if name == "late" else 9)
    with pytest.raises(TooManyRequestsError):
        waiters.register("refused", "secret-address")
    waiters.add_alias("done", "secret-alias")
    for _ in range(2):
        waiters.complete(TerminalEvent("secret-alias", "error", "secret-payload", "secret-text"))
    waiters.cancel("given up")
    clock.seconds += 1
    waiters.complete(TerminalEvent("late", "success", "secret-payload"))
    waiters.complete(TerminalEvent("secret-stranger", "success", "secret-payload"))
    assert "secret" not in repr(events)
    assert [(e.name, e.trace_id, e.status) for e in events] == [
        ("registered", "done", None),
        ("registered", "late", None),
        ("registered", "given up", None),
        ("refused", "refused", None),
        ("completed", "done", "error"),
        ("duplicate_terminal", "done", None),
        ("cancelled", "given up", "cancelled"),
        ("expired", "late", "timeout"),
        ("late_reply_drop", "late", None),
        ("late_reply_drop", "", None),
    ]


@pytest.mark.contract("REPLY-07")
def test_a_waiter_shows_no_reply_to_and_no_payload(waiters: ReplyWaiterService) -> None:
    waiter = waiters.register("t", "secret")
    assert repr(waiter) == "<ReplyWaiter 't': in flight>"
    waiters.complete(success("t", "secret"))
    assert repr(waiter) == "<ReplyWaiter 't': success>"


def test_the_limit_refuses_and_a_reply_makes_room(waiters: ReplyWaiterService) -> None:
    for n in range(4):
        waiters.register(str(n))
    with pytest.raises(TooManyRequestsError) as caught:
        waiters.register("4")
    assert caught.value.limit == 4
    waiters.complete(success("2"))
    waiters.register("4")
    assert waiters.in_flight_ids() == ("0", "1", "3", "4")


def test_a_trace_id_in_flight_is_refused(waiters: ReplyWaiterService) -> None:
    first = waiters.register("t")
    with pytest.raises(TraceInUseError):
        waiters.register("t")
    waiters.complete(success("t"))
    assert first.done()
    assert waiters.counters().refused == 1


def test_closing_cancels_what_is_in_flight_and_refuses_what_comes(
    waiters: ReplyWaiterService,
) -> None:
    waiter = waiters.register("t")
    assert waiters.close() == 1
    assert waiters.close() == 0
    assert waiter.wait().status == "cancelled"
    with pytest.raises(RequestsClosedError):
        waiters.register("u")


def test_an_alias_completes_its_request_and_never_reaches_the_caller(
    waiters: ReplyWaiterService,
) -> None:
    waiter = waiters.register("t")
    assert waiters.add_alias("t", "child:t")
    assert waiters.add_alias("t", "child:t")
    assert waiters.complete(success("child:t", 1))
    assert waiter.wait() == success("t", 1)


@pytest.mark.parametrize(("first", "second"), [("t", "child:t"), ("child:t", "t")])
def test_a_second_terminal_by_another_name_is_a_duplicate(
    waiters: ReplyWaiterService, first: str, second: str
) -> None:
    waiter = waiters.register("t")
    waiters.add_alias("t", "child:t")
    assert waiters.complete(success(first, 1))
    assert not waiters.complete(success(second, 2))
    assert waiter.wait().payload == 1
    assert waiters.counters().duplicate_terminal == 1


def test_a_terminal_under_the_alias_of_an_ended_request_is_late(
    waiters: ReplyWaiterService,
) -> None:
    waiters.register("t").cancel()
    assert not waiters.add_alias("t", "child:t")
    waiters.register("u")
    waiters.add_alias("u", "child:u")
    waiters.cancel("u")
    waiters.register("u")
    assert not waiters.complete(success("child:t"))
    assert not waiters.complete(success("child:u"))
    assert waiters.counters().late_reply_drop == 2
    assert waiters.in_flight_ids() == ("u",)


def test_an_alias_is_no_name_that_a_caller_can_use(waiters: ReplyWaiterService) -> None:
    waiters.register("t")
    waiters.add_alias("t", "child:t")
    assert not waiters.cancel("child:t")
    assert not waiters.add_alias("child:t", "grandchild:t")
    with pytest.raises(TraceInUseError):
        waiters.register("child:t")
    waiters.register("u")
    for taken in ("t", "child:t"):
        with pytest.raises(TraceInUseError):
            waiters.add_alias("u", taken)


def test_a_request_has_so_many_aliases_and_no_more(waiters: ReplyWaiterService) -> None:
    waiters.register("t")
    for n in range(16):
        waiters.add_alias("t", f"a{n}")
    with pytest.raises(TooManyAliasesError):
        waiters.add_alias("t", "a16")
    assert not waiters.complete(success("a16"))
    assert waiters.complete(success("a15"))


def test_a_reply_from_another_thread_wakes_a_blocked_wait() -> None:
    waiters = ReplyWaiterService()
    waiter = waiters.register("t", timeout_seconds=60)
    thread = threading.Thread(target=waiters.complete, args=[success("t", 7)])
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


def test_a_reply_from_another_thread_wakes_an_await() -> None:
    waiters = ReplyWaiterService()

    async def request() -> TerminalEvent:
        waiter = waiters.register("t", timeout_seconds=60)
        asyncio.get_running_loop().run_in_executor(None, waiters.complete, success("t", 7))
        return await waiter

    assert asyncio.run(request()).payload == 7


def test_an_await_of_what_has_ended_gives_its_outcome(waiters: ReplyWaiterService) -> None:
    async def request() -> TerminalEvent:
        waiter = waiters.register("t")
        waiters.complete(success("t", 7))
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

    async def cancelled() -> TerminalEvent | None:
        waiter = waiters.register("t", timeout_seconds=60)

        async def request() -> None:
            await waiter

        task = asyncio.create_task(request())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return waiter.outcome

    outcome = asyncio.run(cancelled())
    assert outcome is not None
    assert outcome.status == "cancelled"
    assert not waiters.complete(success("t"))
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
    assert waiters.complete(success("t", 1))
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
    waiters = ReplyWaiterService(max_in_flight=count, remember=count)
    made = [waiters.register(str(n), timeout_seconds=3600) for n in range(count)]
    outcomes: dict[str, list[TerminalEvent]] = {"a": [], "b": []}

    def completing(payload: str) -> Callable[[], object]:
        return lambda: [waiters.complete(success(w.trace_id, payload)) for w in made]

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


@pytest.mark.contract("REPLY-06")
def test_nothing_leaks_after_100_000_requests_a_tenth_of_them_given_up() -> None:
    clock = Clock()
    waiters = ReplyWaiterService(clock=clock, remember=512, max_in_flight=64)

    def serve(first: int, count: int) -> None:
        for n in range(first, first + count):
            clock.seconds += 0.001
            name = f"{n:032x}"
            waiter = waiters.register(name, "web", 0.01 if n % 20 == 0 else 60)
            waiters.add_alias(name, f"child:{name}")
            if n % 20 == 10:
                waiter.cancel()
            elif n % 20:
                waiters.complete(success(f"child:{name}", b"x" * 100))

    serve(0, 10_000)
    before = sys.getallocatedblocks()
    serve(10_000, 90_000)
    after = sys.getallocatedblocks()
    clock.seconds += 60
    waiters.expire()
    assert after - before < 9_000, "less than a tenth of an object for each request"
    assert waiters.counters() == ReplyCounters(
        registered=100_000, completed=90_000, cancelled=5_000, expired=5_000, remembered=512
    )
