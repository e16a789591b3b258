"""Waiters for replies: each has one outcome, by a terminal, its time or its caller."""

from __future__ import annotations

from typing import get_args

import pytest
from kernel_replies import Clock, success
from sk_kernel import TerminalEvent, TerminalStatus
from sk_kernel.runtime import ReplyCounters, ReplyWaiterService


@pytest.mark.contract("REPLY-01")
def test_a_waiter_receives_exactly_one_success(waiters: ReplyWaiterService) -> None:
    waiter = waiters.register("t", "web", 5)
    assert not waiter.done()
    assert waiters.settle(waiter, success("t", 42))
    assert waiter.wait() == waiter.wait() == success("t", 42)
    assert waiters.counters() == ReplyCounters(registered=1, completed=1)


@pytest.mark.contract("REPLY-01")
def test_a_terminal_of_any_status_completes_its_waiter(waiters: ReplyWaiterService) -> None:
    failed = TerminalEvent("t", "error", category="execution", node="n", cause_type="KeyError")
    waiter = waiters.register("t")
    waiters.settle(waiter, failed)
    assert waiter.wait() == failed
    assert waiters.counters().completed == 1


@pytest.mark.contract("REPLY-06")
@pytest.mark.parametrize("status", get_args(TerminalStatus))
def test_a_request_that_a_terminal_ends_counts_as_the_outcome_that_it_has(
    waiters: ReplyWaiterService, status: TerminalStatus
) -> None:
    waiter = waiters.register("t")
    waiters.settle(waiter, TerminalEvent("t", status))
    counters = waiters.counters()
    assert {name: count for name, count in counters.outcomes().items() if count} == {status: 1}
    assert counters.in_flight == 0


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
    assert waiters.counters() == ReplyCounters(registered=1, expired=1)


def test_a_time_that_is_no_number_is_refused_and_registers_nothing(
    waiters: ReplyWaiterService,
) -> None:
    with pytest.raises(TypeError, match="timeout_seconds is a number of seconds, not a str"):
        waiters.register("t", timeout_seconds="2")  # type: ignore[arg-type]
    assert waiters.counters() == ReplyCounters()


def test_how_long_requests_took_is_known_by_outcome(
    waiters: ReplyWaiterService, clock: Clock
) -> None:
    asked = [waiters.register(name, timeout_seconds=5) for name in "abcd"]
    clock.seconds += 0.5
    waiters.settle(asked[0], success("a"))
    waiters.settle(waiters.register("e"), TerminalEvent("e", "error"))
    asked[1].cancel()
    waiters.time_out(asked[2])
    clock.seconds += 4.5
    waiters.expire()
    waiters.register("f")
    clock.seconds += 2
    waiters.close()
    took = {status: (times.count, times.sum) for status, times in waiters.durations().items()}
    assert took == {
        "success": (1, 0.5),
        "error": (1, 0.0),
        "timeout": (2, 5.5),
        "cancelled": (2, 2.5),
    }


@pytest.mark.contract("REPLY-02", "REPLY-05")
def test_what_is_overdue_is_expired_though_nobody_drove_the_clock(
    waiters: ReplyWaiterService, clock: Clock
) -> None:
    """The outcome is a matter of times alone: not of whether someone looked in between."""
    completed = waiters.register("completed", timeout_seconds=5)
    clock.seconds += 5
    assert not waiters.settle(completed, success("completed"))
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
    new = waiters.register("new")
    assert not new.done()
    assert all(waiter.done() for waiter in old)
    assert waiters.counters().in_flight == 1


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
    assert waiters.counters() == ReplyCounters(registered=1, expired=1)


@pytest.mark.contract("REPLY-03")
def test_a_duplicate_terminal_does_not_complete_twice(waiters: ReplyWaiterService) -> None:
    waiter = waiters.register("t")
    assert [waiters.settle(waiter, success("t", n)) for n in range(3)] == [True, False, False]
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
    assert waiter.wait() == TerminalEvent(
        "t", "cancelled", error="cancelled by the caller", category="cancelled"
    )
    assert waiters.counters() == ReplyCounters(registered=1, cancelled=1)


def test_an_ended_waiter_cannot_cancel_the_next_request_of_its_trace_id(
    waiters: ReplyWaiterService,
) -> None:
    old = waiters.register("t")
    waiters.settle(old, success("t"))
    new = waiters.register("t")
    assert not old.cancel()
    assert new.cancel()
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
    assert not waiters.settle(waiter, success("t"))
    assert not waiters.settle(waiter, success("t"))
    assert waiter.wait().status != "success"
    assert (waiters.counters().late_reply_drop, waiters.counters().duplicate_terminal) == (2, 0)


@pytest.mark.contract("REPLY-05")
def test_a_terminal_of_which_nobody_knows_the_request_is_late(waiters: ReplyWaiterService) -> None:
    waiters.drop_late()
    assert waiters.counters() == ReplyCounters(late_reply_drop=1)


@pytest.mark.contract("REPLY-05")
@pytest.mark.parametrize("status", ["error", "timeout"])
def test_a_duplicate_is_told_from_a_late_one_by_what_has_ended_its_own_request(
    waiters: ReplyWaiterService, status: TerminalStatus
) -> None:
    """Though a terminal may say that the time was over, and its request's name be used again."""
    answered, given_up = waiters.register("t"), waiters.register("u")
    waiters.settle(answered, TerminalEvent("t", status))
    given_up.cancel()
    again = [waiters.register("t"), waiters.register("u")]
    assert not waiters.settle(answered, success("t"))
    assert not waiters.settle(given_up, success("u"))
    counters = waiters.counters()
    assert (counters.duplicate_terminal, counters.late_reply_drop) == (1, 1)
    assert [waiter.done() for waiter in again] == [False, False]


@pytest.mark.contract("REPLY-05")
def test_what_comes_late_of_a_request_is_nothing_to_the_next_of_its_trace_id(
    waiters: ReplyWaiterService,
) -> None:
    earlier = waiters.register("t")
    earlier.cancel()
    later = waiters.register("t")
    assert not waiters.settle(earlier, success("t", "the earlier one's"))
    assert waiters.settle(later, success("t", "its own"))
    assert later.wait().payload == "its own"


def test_an_outcome_is_under_the_callers_trace_id_whichever_the_terminal_says(
    waiters: ReplyWaiterService,
) -> None:
    waiter, other = waiters.register("t"), waiters.register("u")
    assert waiters.settle(waiter, success("u", 1))
    assert waiter.wait() == success("t", 1)
    assert not other.done()
