"""Routing by a plan: local, over the boundary, or terminal; with a cache that changes nothing."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sk_kernel import BoundaryDispatchInput, Envelope, UnknownRouteError, UnsendableRequestError
from sk_kernel._replies.routing import find_stops
from sk_kernel.runtime import (
    SINK,
    SOURCE,
    ApplicationContext,
    ExecutionPlan,
    RouteCache,
    RoutingService,
    make_plan,
)

TEXT = """
class E(A, frozen=True):
    pass
class F(msgspec.Struct, frozen=True):
    n: int
@source()
def numbers() -> Iterator[A]:
    yield A(1)
@sink()
def out(d: D) -> None: ...
@node
def one(a: A) -> B: ...
@node
def also(a: A) -> B: ...
@node
def two(b: B) -> C: ...
@node
def three(c: C) -> D: ...
"""
NODES = ("one", "also", "two", "three")


class App:
    """A declared application, and plans of it."""

    def __init__(self, declare: Any, spec_of: Any) -> None:
        self.module = declare(TEXT)
        self.graph = ApplicationContext(spec_of(self.module)).graph

    def payload(self, name: str) -> Any:
        cls = getattr(self.module, name)
        return cls("text") if name == "D" else cls(1)

    def plan(self, *groups: str) -> ExecutionPlan:
        """The nodes in these groups, in order; the adapters in "edge"."""
        placed = dict(zip(NODES, groups, strict=True))
        return make_plan(self.graph, {SOURCE: "edge", SINK: "edge"} | placed, {})


@pytest.fixture
def app(declare: Any, spec_of: Any) -> App:
    return App(declare, spec_of)


def test_a_payload_for_another_group_is_dispatched_with_all_that_its_envelope_says(
    app: App,
) -> None:
    routing = RoutingService(app.plan("g1", "g1", "g2", "g3"))
    payload = app.payload("B")
    result = routing.route([Envelope(payload, "t", "two", "web", {"k": "v"})])
    assert result.boundary_deliveries == [
        BoundaryDispatchInput(payload, "g2", "two", "t", "web", {"k": "v"})
    ]
    assert (result.local_deliveries, result.terminal_outputs) == ([], [])


def test_a_payload_for_the_own_group_stays_local(app: App) -> None:
    routing = RoutingService(app.plan("g1", "g1", "g2", "g3"), group="g2")
    output = Envelope(app.payload("B"), "t", reply_to="web")
    result = routing.route([output])
    assert result.local_deliveries == [Envelope(output.payload, "t", "two", "web")]
    assert (result.boundary_deliveries, result.terminal_outputs) == ([], [])


def test_without_a_target_every_consumer_of_the_type_gets_it(app: App) -> None:
    routing = RoutingService(app.plan("g1", "g2", "g2", "g3"), group="g1")
    result = routing.route([Envelope(app.payload("A"))])
    assert [e.target for e in result.local_deliveries] == ["one"]
    assert [(i.dispatch_group, i.target) for i in result.boundary_deliveries] == [("g2", "also")]


def test_a_type_that_nobody_consumes_goes_where_its_nearest_base_goes(app: App) -> None:
    routing = RoutingService(app.plan("g1", "g1", "g1", "g1"), group="g1")
    result = routing.route([Envelope(app.payload("E"))])
    assert [e.target for e in result.local_deliveries] == ["one", "also"]


def test_what_nobody_consumes_is_terminal_and_keeps_what_its_envelope_says(app: App) -> None:
    routing = RoutingService(app.plan("g1", "g1", "g1", "g1"), group="g1")
    reply = Envelope(app.payload("F"), "t", reply_to="web")
    assert routing.route([reply]).terminal_outputs == [reply]


@pytest.mark.parametrize("target", [None, SINK])
def test_what_goes_to_the_sink_is_terminal_when_somebody_waits_for_it(
    app: App, target: str | None
) -> None:
    routing = RoutingService(app.plan("g1", "g1", "g1", "g1"), group="g1")
    reply = Envelope(app.payload("D"), "t", target, "web")
    stream = Envelope(app.payload("D"), "t", target)
    result = routing.route([reply, stream])
    assert result.terminal_outputs == [reply]
    assert [(i.dispatch_group, i.target) for i in result.boundary_deliveries] == [("edge", SINK)]


@pytest.mark.parametrize(("target", "payload"), [("nobody", "A"), ("two", "A"), (SOURCE, "A")])
def test_a_target_that_does_not_take_the_payload_is_a_transport_failure(
    app: App, target: str, payload: str
) -> None:
    routing = RoutingService(app.plan("g1", "g1", "g1", "g1"))
    for _ in range(2):
        with pytest.raises(UnknownRouteError) as caught:
            routing.route([Envelope(app.payload(payload), target=target)])
        assert (caught.value.category, caught.value.target) == ("transport", target)
    assert routing.cache_snapshot().negative_hits == 1


def test_a_mixed_batch_is_sorted_by_group(app: App) -> None:
    routing = RoutingService(app.plan("g1", "g2", "g2", "g1"))
    one, three = (BoundaryDispatchInput(1, "g1", target) for target in ("one", "three"))
    also, two = (BoundaryDispatchInput(1, "g2", target) for target in ("also", "two"))
    assert routing.by_group([also, one, two, three]) == {"g2": [also, two], "g1": [one, three]}


@pytest.mark.parametrize("group", ["nowhere", "g2"])
def test_a_group_that_does_not_exist_or_not_run_the_target_is_a_transport_failure(
    app: App, group: str
) -> None:
    routing = RoutingService(app.plan("g1", "g2", "g2", "g1"))
    with pytest.raises(UnknownRouteError) as caught:
        routing.by_group([BoundaryDispatchInput(1, group, "one")])
    assert (caught.value.category, caught.value.group) == ("transport", group)


@pytest.mark.parametrize("name", ["trace_id", "target", "reply_to", "headers", "dispatch_group"])
def test_an_input_that_says_what_is_no_text_is_refused(app: App, name: str) -> None:
    routing = RoutingService(app.plan("g1", "g2", "g2", "g1"))
    said: dict[str, Any] = {"dispatch_group": "g1", "target": "one", name: ["no text"]}
    with pytest.raises(UnsendableRequestError, match=rf"with (a )?{name} that (is no|are not all)"):
        routing.by_group([BoundaryDispatchInput(1, **said)])


@pytest.mark.parametrize("name", ["trace_id", "reply_to"])
def test_an_input_with_a_name_of_more_than_256_characters_is_refused(app: App, name: str) -> None:
    routing = RoutingService(app.plan("g1", "g2", "g2", "g1"))
    said: dict[str, Any] = {name: "x" * 257}
    with pytest.raises(UnsendableRequestError, match=f"with a {name} of more than 256 characters"):
        routing.by_group([BoundaryDispatchInput(1, "g1", "one", **said)])
    said[name] = "x" * 256
    assert routing.by_group([BoundaryDispatchInput(1, "g1", "one", **said)])


@pytest.mark.contract("ROUTE-CACHE-02")
def test_another_plan_is_gone_by_from_the_next_call_on(app: App) -> None:
    routing = RoutingService(app.plan("g1", "g1", "g1", "g1"))
    envelope = Envelope(app.payload("B"))
    assert routing.route([envelope]).boundary_deliveries[0].dispatch_group == "g1"
    assert routing.place(app.plan("g1", "g1", "g2", "g1")) == 1
    assert routing.route([envelope]).boundary_deliveries[0].dispatch_group == "g2"
    seen = routing.cache_snapshot()
    assert (seen.misses, seen.invalidations, seen.version) == (2, 1, 1)


GROUPS = st.tuples(*[st.sampled_from(["g1", "g2"])] * len(NODES))
LOOKUP = st.tuples(
    st.sampled_from([None, *NODES, SINK, SOURCE, "nobody", "nowhere"]),
    st.sampled_from("ABCDEF"),
)


@pytest.mark.contract("ROUTE-CACHE-01", "ROUTE-CACHE-02")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    steps=st.lists(st.one_of(GROUPS, LOOKUP), max_size=40),
    negative=st.booleans(),
    room=st.integers(1, 4),
)
def test_the_cache_never_answers_differently_from_the_plan(
    app: App, steps: list[Any], negative: bool, room: int
) -> None:
    plan = app.plan("g1", "g1", "g1", "g1")
    routing = RoutingService(plan, cache=RouteCache(negative_cache=negative, max_entries=room))
    for step in steps:
        if len(step) == len(NODES):
            plan = app.plan(*step)
            routing.place(plan)
            continue
        target, name = step
        payload = app.payload(name)
        expected = find_stops(plan, target, type(payload))
        if expected is None:
            with pytest.raises(UnknownRouteError):
                routing.route([Envelope(payload, target=target)])
        else:
            result = routing.route([Envelope(payload, target=target)])
            routed = [(i.target, i.dispatch_group) for i in result.boundary_deliveries]
            assert routed == list(expected)
        assert routing.cache_snapshot().entries <= room


@pytest.mark.contract("ROUTE-CACHE-02")
def test_a_batch_that_races_with_changes_of_placement_goes_by_one_plan(app: App) -> None:
    routing = RoutingService(app.plan("g0", "g0", "g0", "g0"), cache=RouteCache(max_entries=2))
    outputs = [Envelope(app.payload(name)) for name in "ABCABC"]
    plans = [app.plan(*[f"g{n}"] * 4) for n in range(200)]
    seen: list[list[str]] = []
    stop = threading.Event()

    def routes() -> None:
        while not stop.is_set():
            result = routing.route(outputs)
            seen.append([i.dispatch_group for i in result.boundary_deliveries])

    threads = [threading.Thread(target=routes) for _ in range(3)]
    for thread in threads:
        thread.start()
    placed = 0
    while placed < len(plans) or len(seen) < 100:  # or nothing may have raced
        routing.place(plans[placed % len(plans)])
        placed += 1
    stop.set()
    for thread in threads:
        thread.join()
    assert all(len(set(groups)) == 1 for groups in seen)
    final = routing.route(outputs).boundary_deliveries
    assert {i.dispatch_group for i in final} == {f"g{(placed - 1) % len(plans)}"}
