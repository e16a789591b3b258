"""What is counted and told of replies: nothing of what they carry, and nothing is kept."""

from __future__ import annotations

import sys

import pytest
from kernel_replies import Clock, success
from sk_kernel import TerminalEvent, TooManyRequestsError
from sk_kernel.runtime import ReplyCounters, ReplyEvent, ReplyWaiterService


@pytest.mark.contract("REPLY-06")
def test_every_counter_counts_its_own(waiters: ReplyWaiterService, clock: Clock) -> None:
    done, dropped, late, open_ = (
        waiters.register(name, timeout_seconds=1 if name == "late" else 9)
        for name in ("done", "dropped", "late", "open")
    )
    with pytest.raises(TooManyRequestsError):
        waiters.register("one too many")
    waiters.settle(done, success("done"))
    waiters.settle(done, success("done"))
    dropped.cancel()
    clock.seconds += 1
    waiters.settle(late, success("late"))
    waiters.drop_late()
    assert waiters.counters() == ReplyCounters(
        registered=4,
        completed=1,
        cancelled=1,
        expired=1,
        duplicate_terminal=1,
        late_reply_drop=2,
        in_flight=1,
        refused=1,
    )
    assert [w.done() for w in (done, dropped, late, open_)] == [True, True, True, False]


@pytest.mark.contract("REPLY-07")
def test_diagnostics_carry_no_payload_no_reply_to_and_no_error_text(clock: Clock) -> None:
    events: list[ReplyEvent] = []
    waiters = ReplyWaiterService(clock=clock, on_event=events.append, max_in_flight=3)
    done, late, given_up = [
        waiters.register(name, "secret-address", 1 if name == "late" else 9)
        for name in ("done", "late", "given up")
    ]
    with pytest.raises(TooManyRequestsError):
        waiters.register("refused", "secret-address")
    for _ in range(2):
        waiters.settle(done, TerminalEvent("secret-name", "error", "secret-payload", "secret-text"))
    given_up.cancel()
    clock.seconds += 1
    waiters.settle(late, TerminalEvent("late", "success", "secret-payload"))
    waiters.drop_late()
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
    waiters.settle(waiter, success("t", "secret"))
    assert repr(waiter) == "<ReplyWaiter 't': success>"


@pytest.mark.contract("REPLY-06")
def test_nothing_leaks_after_100_000_requests_a_tenth_of_them_given_up() -> None:
    clock = Clock()
    waiters = ReplyWaiterService(clock=clock, max_in_flight=64)

    def serve(first: int, count: int) -> None:
        for n in range(first, first + count):
            clock.seconds += 0.001
            name = f"{n:032x}"
            waiter = waiters.register(name, "web", 0.01 if n % 20 == 0 else 60)
            if n % 20 == 10:
                waiter.cancel()
            elif n % 20:
                waiters.settle(waiter, success(name, b"x" * 100))

    serve(0, 10_000)
    before = sys.getallocatedblocks()
    serve(10_000, 90_000)
    after = sys.getallocatedblocks()
    clock.seconds += 60
    waiters.expire()
    assert after - before < 9_000, "less than a tenth of an object for each request"
    assert waiters.counters() == ReplyCounters(
        registered=100_000, completed=90_000, cancelled=5_000, expired=5_000
    )
