"""Which requests are taken on."""

from __future__ import annotations

import pytest
from kernel_replies import success
from sk_kernel import RequestsClosedError, TooManyRequestsError, TraceInUseError
from sk_kernel.runtime import ReplyWaiterService


def test_the_limit_refuses_and_a_reply_makes_room(waiters: ReplyWaiterService) -> None:
    made = [waiters.register(str(n)) for n in range(4)]
    with pytest.raises(TooManyRequestsError) as caught:
        waiters.register("4")
    assert caught.value.limit == 4
    waiters.settle(made[2], success("2"))
    made.append(waiters.register("4"))
    assert [waiter.trace_id for waiter in made if not waiter.done()] == ["0", "1", "3", "4"]
    assert waiters.counters().in_flight == 4


def test_a_trace_id_in_flight_is_refused(waiters: ReplyWaiterService) -> None:
    first = waiters.register("t")
    with pytest.raises(TraceInUseError):
        waiters.register("t")
    waiters.settle(first, success("t"))
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
