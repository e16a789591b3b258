"""Which requests a worker can lose or answer: those that may be with it, and no others."""

from __future__ import annotations

from typing import Any

import pytest
from asked_app import Ask, Second, Third
from asking import SHARED, asked
from sk_kernel import Envelope, ReplyWaiter, TooManyRequestsError
from sk_kernel.runtime import (
    WHOLE,
    Answer,
    ReplyCoordinatorService,
    ReplyWaiterService,
    RequestCodec,
    RoutingService,
    frames_of,
)
from sk_supervisor import prepare
from sk_supervisor._protocol.edges import EdgeKeys
from sk_supervisor._protocol.frames import CLIENT, ReplyHeader, encode_header
from sk_supervisor._protocol.link_limits import LinkLimits
from sk_supervisor._requests.client_keys import ClientKeys
from sk_supervisor._requests.faults import RequestFaults
from sk_supervisor._requests.flights import name_of
from sk_supervisor._requests.gateway import RequestGateway
from sk_supervisor.errors import HeaderError, RelayRefusedError
from sk_transport import Channel, FrameDecoder, FrameKind, FrameLimits, KeyMaterial, Signer

#: The name that the first request of a run has among its nodes.
FIRST = name_of(1)


class Front:
    """A gateway that sends nothing: groups of one, two, three and one workers are behind it."""

    def __init__(self, max_in_flight: int = 100) -> None:
        plan = prepare(asked(SHARED)).plan
        waiters = self.waiters = ReplyWaiterService(max_in_flight=max_in_flight)
        self._keys = EdgeKeys(KeyMaterial.generated(), "s", (), "hkdf_sha256")
        self._signers: dict[str, Signer] = {}
        self._codec = RequestCodec(plan.graph)
        self.gateway = RequestGateway(
            plan,
            ClientKeys("s", self._keys, LinkLimits(max_payload_bytes=1 << 20)),
            waiters,
            run_id="r",
            ids=None,
            max_payload_bytes=1 << 20,
            workers=dict,
            wake=lambda: None,
            on_failure=lambda *_: None,
            faults=RequestFaults(),
        )
        self._client = ReplyCoordinatorService(waiters, RoutingService(plan), self.gateway.dispatch)

    def ask(self, *payloads: Any, trace_id: str | None = None) -> list[ReplyWaiter]:
        return [self._client.request(Envelope(payload, trace_id)) for payload in payloads]

    def answered(
        self,
        worker: str,
        node: str,
        weight: int = WHOLE,
        *,
        run_id: str = "r",
        request: str = FIRST,
    ) -> None:
        """Let a worker say that a request has failed in a node; signed, and long ago."""
        failed = Answer(request, weight, node=node, cause_type="E")
        (part,) = self._codec.answer_parts([failed], 1_000)
        signer = self._signer(worker)
        header = encode_header(ReplyHeader(run_id))
        for payload in frames_of([part], 1_000):
            sent = b"".join(signer.seal(FrameKind.REPLY, header, payload))
            for frame in FrameDecoder(FrameLimits()).feed(sent):
                self.gateway.arrived(worker, frame)
        self.gateway.leave()
        self.gateway.attend()

    def _signer(self, worker: str) -> Signer:
        """That of the worker's one link."""
        if worker not in self._signers:
            key = self._keys.between(worker, CLIENT)
            self._signers[worker] = Signer(Channel("s", worker, CLIENT), key, clock=lambda: 0)
        return self._signers[worker]


@pytest.fixture
def front() -> Front:
    return Front()


def lost(waiters: list[ReplyWaiter]) -> list[bool]:
    return [waiter.done() for waiter in waiters]


def test_of_what_was_handed_to_a_group_only_what_its_worker_has_is_lost(front: Front) -> None:
    waiters = front.ask(Second(1), Second(2), Second(3), Second(4))
    front.gateway.lost("two-0.1")
    assert sorted(lost(waiters)) == [False, False, True, True]
    outcome = next(waiter.outcome for waiter in waiters if waiter.outcome)
    assert outcome is not None
    assert (outcome.category, outcome.group) == ("transport", "two")
    front.gateway.lost("two-1.1")
    assert all(lost(waiters))


def test_requests_of_one_key_are_lost_together(front: Front) -> None:
    waiters = front.ask(*[Third(n, who="one") for n in range(6)])
    fates = []
    for worker in ("three-0.1", "three-1.1", "three-2.1"):
        front.gateway.lost(worker)
        fates.append(set(lost(waiters)))
    assert {True, False} not in fates
    assert fates[-1] == {True}


def test_what_may_have_come_to_a_later_group_is_lost_with_any_worker_of_it(front: Front) -> None:
    waiters = front.ask(Ask(1), Second(1))
    front.gateway.lost("three-2.1")
    assert all(lost(waiters))


def test_what_never_comes_to_a_group_is_not_lost_with_it(front: Front) -> None:
    waiters = front.ask(Third(1))
    front.gateway.lost("two-0.1")
    assert lost(waiters) == [False]


@pytest.mark.contract("P5PRE-ENV-01")
def test_an_answer_of_another_run_is_refused_and_answers_nothing(front: Front) -> None:
    waiters = front.ask(Ask(1))
    with pytest.raises(HeaderError, match="a ReplyHeader frame names another run"):
        front.answered("one-0.1", "first", run_id="")
    assert lost(waiters) == [False]


# Of two workers that take requests in turn, the second has the first.


@pytest.mark.parametrize(
    ("worker", "node"),
    [
        ("one-0.1", "first"),
        ("one-0.1", "second"),
        ("two-0.1", "second"),
        ("two-1.1", "third"),
        ("four-0.1", "second"),
        ("four-0.1", "nowhere"),
    ],
)
def test_a_worker_answers_neither_a_request_nor_for_a_node_of_another(
    front: Front, worker: str, node: str
) -> None:
    waiters = front.ask(Second(1))
    with pytest.raises(RelayRefusedError):
        front.answered(worker, node)
    assert lost(waiters) == [False]


@pytest.mark.parametrize(
    ("worker", "node"), [("two-1.1", "second"), ("three-0.1", "third"), ("four-0.1", "last")]
)
def test_whoever_a_request_may_have_come_to_answers_it(
    front: Front, worker: str, node: str
) -> None:
    waiters = front.ask(Second(1))
    front.answered(worker, node)
    outcome = waiters[0].outcome
    assert outcome is not None
    assert (outcome.category, outcome.group, outcome.node) == (
        "execution",
        worker.partition("-")[0],
        node,
    )


@pytest.mark.parametrize("request_name", ["order-17", "r99"])
def test_an_answer_to_what_is_no_request_of_the_nodes_settles_none_and_is_late(
    front: Front, request_name: str
) -> None:
    """A caller's trace id is none: it is neither secret nor a worker's to answer."""
    waiters = front.ask(Second(1), trace_id="order-17")
    front.answered("two-1.1", "second", request=request_name)
    assert lost(waiters) == [False]
    assert front.waiters.counters().late_reply_drop == 1


def test_a_second_answer_to_what_the_nodes_have_done_with_is_late(front: Front) -> None:
    front.ask(Second(1))
    for _ in range(2):
        front.answered("two-1.1", "second")
    counters = front.waiters.counters()
    assert (counters.completed, counters.late_reply_drop) == (1, 1)


def test_the_answer_to_a_request_that_is_over_is_not_that_of_the_next_of_its_trace_id(
    front: Front,
) -> None:
    ended(*front.ask(Second(1), trace_id="mine"), "cancelled")
    waiters = front.ask(Second(2), trace_id="mine")
    front.answered("two-1.1", "second")
    assert lost(waiters) == [False]
    assert front.waiters.counters().late_reply_drop == 1


def ended(waiter: ReplyWaiter, how: str) -> None:
    if how == "cancelled":
        waiter.cancel()
    else:
        waiter.wait(0)


@pytest.fixture
def narrow() -> Front:
    """One request may be in flight."""
    return Front(max_in_flight=1)


@pytest.mark.parametrize("how", ["cancelled", "timeout"])
def test_a_request_that_nobody_waits_for_is_in_flight_until_it_is_answered(
    narrow: Front, how: str
) -> None:
    ended(*narrow.ask(Second(1)), how)
    with pytest.raises(TooManyRequestsError) as caught:
        narrow.ask(Second(2))
    assert (caught.value.limit, caught.value.unfinished) == (1, 1)
    narrow.answered("two-1.1", "second")
    narrow.ask(Second(3))


def test_a_request_that_nobody_waits_for_is_in_flight_until_its_worker_is_lost(
    narrow: Front,
) -> None:
    ended(*narrow.ask(Second(1)), "cancelled")
    narrow.gateway.lost("two-0.1")  # which never had it
    assert narrow.waiters.counters().unfinished == 1
    narrow.gateway.lost("two-1.1")
    assert narrow.waiters.counters().unfinished == 0
    narrow.ask(Second(2))


def test_a_request_that_is_answered_in_part_is_in_flight_until_the_rest_is_in(
    narrow: Front,
) -> None:
    (waiter,) = narrow.ask(Second(1))
    narrow.answered("two-1.1", "second", WHOLE - 1)
    assert waiter.done()
    assert narrow.waiters.counters().unfinished == 1
    narrow.answered("three-0.1", "third", 1)
    assert narrow.waiters.counters().unfinished == 0


def test_whoever_hears_of_a_reply_may_ask_at_once(narrow: Front) -> None:
    (waiter,) = narrow.ask(Second(1))
    asked_again: list[ReplyWaiter] = []
    narrow.waiters.subscribe(waiter, lambda: asked_again.extend(narrow.ask(Second(2))))
    narrow.answered("two-1.1", "second")
    assert lost(asked_again) == [False]
