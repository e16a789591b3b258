"""Which requests are taken on, and the names that a terminal may come by."""

from __future__ import annotations

import pytest
from kernel_replies import success
from sk_kernel import (
    RequestsClosedError,
    TooManyAliasesError,
    TooManyRequestsError,
    TraceInUseError,
)
from sk_kernel.runtime import ReplyWaiterService


def test_the_limit_refuses_and_a_reply_makes_room(waiters: ReplyWaiterService) -> None:
    made = [waiters.register(str(n)) for n in range(4)]
    with pytest.raises(TooManyRequestsError) as caught:
        waiters.register("4")
    assert caught.value.limit == 4
    waiters.complete(success("2"))
    made.append(waiters.register("4"))
    assert [waiter.trace_id for waiter in made if not waiter.done()] == ["0", "1", "3", "4"]
    assert waiters.counters().in_flight == 4


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
    other = waiters.register("u")
    waiters.add_alias("u", "child:u")
    other.cancel()
    again = waiters.register("u")
    assert not waiters.complete(success("child:t"))
    assert not waiters.complete(success("child:u"))
    assert waiters.counters().late_reply_drop == 2
    assert not again.done()
    assert waiters.counters().in_flight == 1


def test_an_alias_is_no_name_that_a_caller_can_use(waiters: ReplyWaiterService) -> None:
    waiters.register("t")
    waiters.add_alias("t", "child:t")
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
