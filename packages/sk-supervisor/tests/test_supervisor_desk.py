"""Which requests are lost with a worker: those that may be with it, and no others."""

from __future__ import annotations

from typing import Any, cast

import pytest
from asked_app import Ask, Second, Third
from asking import SHARED, asked
from sk_kernel import (
    Envelope,
    ReplyCoordinatorService,
    ReplyWaiter,
    ReplyWaiterService,
    RoutingService,
)
from sk_supervisor import prepare
from sk_supervisor._client_keys import ClientKeys
from sk_supervisor._desk import RequestDesk


class Front:
    """A desk that sends nothing: groups of one, two, three and one workers are behind it."""

    def __init__(self) -> None:
        plan = prepare(asked(SHARED)).plan
        waiters = ReplyWaiterService()
        self.desk = RequestDesk(
            plan,
            cast("ClientKeys", None),
            waiters,
            run_id="r",
            ids=None,
            max_payload_bytes=1 << 20,
            workers=dict,
            wake=lambda: None,
            on_failure=lambda _: None,
        )
        self._client = ReplyCoordinatorService(waiters, RoutingService(plan), self.desk.dispatch)

    def ask(self, *payloads: Any) -> list[ReplyWaiter]:
        return [self._client.request(Envelope(payload)) for payload in payloads]


@pytest.fixture
def front() -> Front:
    return Front()


def lost(waiters: list[ReplyWaiter]) -> list[bool]:
    return [waiter.done() for waiter in waiters]


def test_of_what_was_handed_to_a_group_only_what_its_worker_has_is_lost(front: Front) -> None:
    waiters = front.ask(Second(1), Second(2), Second(3), Second(4))
    front.desk.lost("two-0.1")
    assert sorted(lost(waiters)) == [False, False, True, True]
    outcome = next(waiter.outcome for waiter in waiters if waiter.outcome)
    assert outcome is not None
    assert (outcome.category, outcome.group) == ("transport", "two")
    front.desk.lost("two-1.1")
    assert all(lost(waiters))


def test_requests_of_one_key_are_lost_together(front: Front) -> None:
    waiters = front.ask(*[Third(n, who="one") for n in range(6)])
    fates = []
    for worker in ("three-0.1", "three-1.1", "three-2.1"):
        front.desk.lost(worker)
        fates.append(set(lost(waiters)))
    assert {True, False} not in fates
    assert fates[-1] == {True}


def test_what_may_have_come_to_a_later_group_is_lost_with_any_worker_of_it(front: Front) -> None:
    waiters = front.ask(Ask(1), Second(1))
    front.desk.lost("three-2.1")
    assert all(lost(waiters))


def test_what_never_comes_to_a_group_is_not_lost_with_it(front: Front) -> None:
    waiters = front.ask(Third(1))
    front.desk.lost("two-0.1")
    assert lost(waiters) == [False]
