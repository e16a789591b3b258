"""Requests from a client's side: routed, dispatched, completed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sk_kernel import (
    Envelope,
    TerminalEvent,
    TooManyRequestsError,
    UnknownRouteError,
    UnsendableRequestError,
)
from sk_kernel.runtime import (
    SINK,
    SOURCE,
    ApplicationContext,
    ReplyCoordinatorService,
    ReplyWaiterService,
    RoutingResult,
    RoutingService,
    make_plan,
)

TEXT = """
@source()
def numbers() -> Iterator[A]:
    yield A(1)
@sink()
def out(b: B) -> None: ...
@node
def one(a: A) -> B: ...
"""


class Client:
    """A coordinator whose dispatches are kept, or fail."""

    def __init__(self, module: Any, context: ApplicationContext, *, max_in_flight: int = 1) -> None:
        self.ask = module.A(1)
        self.reply = module.B(2)
        self.sent: list[RoutingResult] = []
        self.failure: Exception | None = None
        plan = make_plan(context.graph, {SOURCE: "edge", "one": "work", SINK: "edge"}, {})
        self.waiters = ReplyWaiterService(max_in_flight=max_in_flight)
        self.coordinator = ReplyCoordinatorService(
            self.waiters, RoutingService(plan), self.dispatch
        )

    def dispatch(self, deliveries: RoutingResult, _: object) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent.append(deliveries)


@pytest.fixture
def client(declare: Any, spec_of: Any) -> Client:
    module = declare(TEXT)
    return Client(module, ApplicationContext(spec_of(module)))


def test_a_request_is_sent_with_all_that_its_envelope_says_and_waited_for_under_its_trace_id(
    client: Client,
) -> None:
    waiter = client.coordinator.request(Envelope(client.ask, "t", reply_to="web"))
    (sent,) = client.sent[0].boundary_deliveries
    assert (sent.dispatch_group, sent.target, sent.trace_id, sent.reply_to) == (
        "work",
        "one",
        "t",
        "web",
    )
    assert client.waiters.settle(waiter, TerminalEvent("t", "success", client.reply))
    assert waiter.wait() == TerminalEvent("t", "success", client.reply)


def test_a_request_can_be_awaited(client: Client) -> None:
    async def asks() -> TerminalEvent:
        waiter = client.coordinator.request(Envelope(client.ask, "t"))
        failed = TerminalEvent("t", "error", category="execution", node="one")
        asyncio.get_running_loop().call_soon(client.waiters.settle, waiter, failed)
        return await waiter

    assert asyncio.run(asks()).node == "one"


def test_a_request_without_a_trace_id_gets_one_and_waits_under_it(client: Client) -> None:
    waiter = client.coordinator.request(Envelope(client.ask))
    (sent,) = client.sent[0].boundary_deliveries
    assert len(waiter.trace_id) == 32
    assert sent.trace_id == sent.reply_to == waiter.trace_id


def test_a_request_of_a_callers_trace_waits_under_its_id_and_a_second_one_under_another(
    declare: Any, spec_of: Any
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    module = declare(TEXT)
    client = Client(module, ApplicationContext(spec_of(module)), max_in_flight=3)
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    first, second = (
        client.coordinator.request(Envelope(client.ask, headers=headers)) for _ in range(2)
    )
    assert first.trace_id == trace
    assert len(second.trace_id) == 32
    assert second.trace_id != trace
    assert [each.boundary_deliveries[0].trace_id for each in client.sent] == [trace, trace]
    named = client.coordinator.request(Envelope(client.ask, "mine", headers=headers))
    assert named.trace_id == "mine"
    counters = client.waiters.counters()
    assert (counters.registered, counters.refused) == (3, 0)


def test_a_payload_without_an_envelope_is_refused_with_what_to_write(client: Client) -> None:
    with pytest.raises(TypeError, match=r"write Envelope\(A\(\.\.\.\)\)"):
        client.coordinator.request(client.ask)


@pytest.mark.parametrize("name", ["trace_id", "target", "reply_to"])
@pytest.mark.parametrize("said", [7, "\udcff"])
def test_a_request_that_says_what_is_no_text_is_refused_and_not_registered(
    client: Client, name: str, said: Any
) -> None:
    with pytest.raises(UnsendableRequestError, match=f"a {name} that is no text"):
        client.coordinator.request(Envelope(client.ask, **{name: said}))
    assert client.waiters.counters().registered == 0


@pytest.mark.parametrize("name", ["trace_id", "reply_to"])
def test_a_name_of_more_than_256_characters_is_refused_and_not_registered(
    client: Client, name: str
) -> None:
    with pytest.raises(UnsendableRequestError, match=f"a {name} of more than 256 characters"):
        client.coordinator.request(Envelope(client.ask, **{name: "\N{EURO SIGN}" * 257}))
    assert client.waiters.counters().registered == 0
    client.coordinator.request(Envelope(client.ask, **{name: "\N{EURO SIGN}" * 256}))


def test_a_request_that_nobody_takes_is_refused_and_not_registered(client: Client) -> None:
    for envelope in (Envelope("text"), Envelope(client.ask, target="nobody")):
        with pytest.raises(UnknownRouteError):
            client.coordinator.request(envelope)
    assert client.waiters.counters().registered == 0


def test_a_request_for_the_sink_itself_is_none(client: Client) -> None:
    with pytest.raises(UnknownRouteError):
        client.coordinator.request(Envelope(client.reply))


def test_a_request_of_a_class_that_the_sink_takes_as_well_is_for_the_nodes_alone(
    declare: Any, spec_of: Any
) -> None:
    module = declare(TEXT.replace("out(b: B)", "out(either: A | B)"))
    client = Client(module, ApplicationContext(spec_of(module)))
    client.coordinator.request(Envelope(client.ask))
    assert [each.target for each in client.sent[0].boundary_deliveries] == ["one"]
    with pytest.raises(UnknownRouteError, match=f"'{SINK}' is no node that consumes A"):
        client.coordinator.request(Envelope(client.ask, target=SINK))


def test_a_request_over_the_limit_is_refused_before_anything_is_sent(client: Client) -> None:
    client.coordinator.request(Envelope(client.ask))
    with pytest.raises(TooManyRequestsError):
        client.coordinator.request(Envelope(client.ask))
    assert len(client.sent) == 1


def test_a_dispatch_that_fails_leaves_nothing_registered(client: Client) -> None:
    client.failure = ConnectionError("gone")
    with pytest.raises(ConnectionError):
        client.coordinator.request(Envelope(client.ask, "t"))
    counters = client.waiters.counters()
    assert (counters.cancelled, counters.in_flight) == (1, 0)
