"""Requests that are lost as they are taken up: each has one outcome, and keeps no place."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import pytest
from asked_app import Ask
from asking import asked
from sk_kernel import BoundaryDispatchInput, ReplyWaiter, TerminalEvent
from sk_kernel.runtime import Entrances, ReplyWaiterService
from sk_supervisor import prepare
from sk_supervisor._requests.flights import Flights, visits_of


class Flight(NamedTuple):
    """A request, and no more."""

    waiter: ReplyWaiter


class Between(ReplyWaiterService):
    """Has something happen between two steps of a gateway: just before the one of that name."""

    def __init__(self, step: str, happens: Callable[[], object]) -> None:
        super().__init__(max_in_flight=1)
        self._step, self._happens = step, happens

    def hold(self, waiter: ReplyWaiter) -> bool:
        if self._step == "hold":
            self._happens()
        return super().hold(waiter)

    def subscribe(self, waiter: ReplyWaiter, wake: Callable[[], object]) -> bool:
        if self._step == "subscribe":
            self._happens()
        return super().subscribe(waiter, wake)


@pytest.mark.parametrize(("step", "sent"), [("hold", True), ("subscribe", False)])
def test_a_request_whose_worker_is_lost_as_it_is_taken_up_fails_once_and_makes_room(
    step: str, sent: bool
) -> None:
    failures: list[TerminalEvent] = []
    waiters = Between(step, lambda: flights.lose("r1", "group", "worker"))
    flights: Flights[Flight] = Flights(waiters, lambda outcome, _: failures.append(outcome))
    waiter = waiters.register("t", timeout_seconds=3600)
    assert flights.add("r1", Flight(waiter)) == sent
    flights.lose("r1", "group", "worker")  # by the hub, which finds the worker of what is sent gone
    assert waiter.outcome is not None
    assert (waiter.outcome.category, failures) == ("transport", [waiter.outcome])
    assert waiters.counters().unfinished == 0
    waiters.register("next")


def test_a_request_whose_time_is_over_as_it_is_taken_up_is_not_sent_and_makes_room() -> None:
    waiters = ReplyWaiterService(max_in_flight=1)
    flights: Flights[Flight] = Flights(waiters, lambda *_: None)
    waiter = waiters.register("t", timeout_seconds=0)
    waiters.expire()
    assert not flights.add("r1", Flight(waiter))
    assert flights.now() == {}
    waiters.register("next")


def test_a_traceparent_of_one_input_says_nothing_of_the_next() -> None:
    entrances = Entrances(prepare(asked(None)).application.graph, "r")
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    inputs = [
        BoundaryDispatchInput(Ask(1), "g", "first", headers={"traceparent": parent}),
        BoundaryDispatchInput(Ask(2), "g", "first", headers={"tenant": "x"}),
        BoundaryDispatchInput(Ask(3), "g", "first"),
    ]
    visits = visits_of(1, inputs, "t", entrances, sampled=True, due=math.inf)
    assert [visit.sampled for visit in visits] == [False, True, True]
