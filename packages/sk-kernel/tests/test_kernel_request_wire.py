"""Visits and answers to bytes and back: what is not as declared, does not fit or has no form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kernel_requests import BRANCHING, sent_answers, spec, together
from sk_kernel import NodeOutputError, UnsendableRequestError, WireError
from sk_kernel.runtime import (
    Answer,
    ApplicationContext,
    Correlation,
    Edge,
    Entrances,
    Graph,
    Key,
    RequestCodec,
    Visit,
    WirePart,
    frames_of,
)


@pytest.fixture
def graph(declare: Callable[..., ModuleType]) -> Graph:
    return ApplicationContext(spec(declare(BRANCHING))).graph


@pytest.fixture
def codec(graph: Graph) -> RequestCodec:
    return RequestCodec(graph)


@pytest.fixture
def edge(graph: Graph) -> Edge:
    """One of them, which is any."""
    return graph.edges[0]


def key(number: int) -> Key:
    """One as a request may have in a graph that branches."""
    return (-(1 << 52) - number,)


@given(data=st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_of_any_kind_are_visits_and_answers_or_a_wire_error(
    codec: RequestCodec, data: bytes
) -> None:
    for decode in (codec.visits, codec.answers):
        try:
            decode(data)
        except WireError as error:
            assert error.problem  # noqa: PT017 - both outcomes are right


@pytest.mark.parametrize("headers", [{"tenant": 7}, {"tenant": None}])
def test_one_visit_that_is_not_as_declared_fails_and_leaves_the_others_alone(
    codec: RequestCodec, edge: Edge, headers: dict[str, Any]
) -> None:
    wrong = edge.payload.cls("no number")
    right = Visit("r1", 3, edge, key(1), edge.payload.cls(1))
    sent = [
        right,
        right._replace(request="r2", payload=wrong),
        right._replace(request="r3", correlation=Correlation("t", None, headers)),
    ]
    found = codec.visits(together([codec.visit(visit) for visit in sent]))
    assert found[0] == right
    assert [(a.request, a.weight, a.cause_type) for a in found[1:]] == [
        ("r2", 3, "WireError"),
        ("r3", 3, "WireError"),
    ]


def test_what_a_caller_has_sent_and_is_not_as_declared_is_the_callers_fault(
    codec: RequestCodec, graph: Graph
) -> None:
    ask = next(t.cls for t in graph.consumed("several"))
    edge = Entrances(graph, "run").entry("several", ask)
    wrong = Visit("r", 1, edge, key(1), ask("no number"))
    (found,) = codec.visits(together([codec.visit(wrong)]))
    failure = Answer("r", 1, node=edge.consumer, cause_type="UnsendableRequestError")
    assert found == failure


def test_what_is_wrong_with_a_visit_is_told_by_the_types_of_its_field_and_the_trace(
    codec: RequestCodec, graph: Graph, edge: Edge
) -> None:
    told: list[Any] = []
    codec.on_fault = told.append
    ask = next(t.cls for t in graph.consumed("several"))
    asked = Visit("r1", 1, Entrances(graph, "run").entry("several", ask), key(1), ask("secret"))
    given = Visit("r2", 1, edge, key(2), edge.payload.cls(1))
    sent = [
        asked._replace(correlation=Correlation("0af7651916cd43dd8448eb211c80319c")),
        given._replace(payload=edge.payload.cls("secret")),
        given._replace(correlation=Correlation("t", None, {"tenant": 7})),  # type: ignore[dict-item]
    ]
    codec.visits(together([codec.visit(visit) for visit in sent]))
    producer, of, to = edge.producer, edge.payload.name, ask.__qualname__
    assert [str(error) for error in told] == [
        f"a request cannot be sent with a {to} with n: str, but its class declares n: int",
        f"{producer!r} returned {of} with n: str on a request, but declares n: int",
        f"{producer!r} returned Envelope with headers, or a name, that are not all text"
        " on a request",
    ]
    assert told[0].trace_id == "0af7651916cd43dd8448eb211c80319c"


def test_a_visit_with_a_text_that_is_no_text_fails_and_leaves_the_others_alone(
    codec: RequestCodec,
    edge: Edge,
) -> None:
    right = Visit("r1", 3, edge, key(1), edge.payload.cls(1))
    other = codec.visit(right._replace(request="r2", correlation=Correlation("trace")))
    broken = other.replace(b"trace", b"\xff\xfe\xfd\xfc!")
    found = codec.visits(together([codec.visit(right), broken]))
    assert found[0] == right
    assert [(a.request, a.cause_type) for a in found[1:]] == [("r2", "WireError")]


def test_a_visit_that_is_due_is_a_failure_and_is_read_no_further(
    codec: RequestCodec, edge: Edge
) -> None:
    right = Visit("r1", 3, edge, key(1), edge.payload.cls(1), due=5.5)
    late = right._replace(request="r2", payload=edge.payload.cls("no number"), due=5.0)
    found = codec.visits(together([codec.visit(visit) for visit in (right, late)]), 5.0)
    failure = Answer("r2", 3, node=edge.consumer, cause_type="RequestExpiredError")
    assert found == [right, failure]


def test_a_reply_that_is_not_as_declared_is_a_failure(codec: RequestCodec, edge: Edge) -> None:
    cls = edge.payload.cls
    right = Answer("r1", 1, True, cls(1), "giver")
    wrong = right._replace(request="r2", payload=cls("no number"))
    failure = Answer("r2", 1, node="giver", cause_type="NodeOutputError")
    assert sent_answers(codec, [right]) == [right]
    with pytest.raises(NodeOutputError):
        sent_answers(codec, [wrong])
    assert codec.unread(wrong) == failure


def test_the_fault_of_a_reply_that_is_not_as_declared_names_its_types_and_its_trace(
    codec: RequestCodec, edge: Edge
) -> None:
    wrong = Answer("r", 1, True, edge.payload.cls("secret"), "giver")
    (frame,) = frames_of(codec.answer_parts([wrong], 1 << 20), 1 << 20)
    (answer,) = codec.answers(frame)
    with pytest.raises(NodeOutputError) as raised:
        codec.read(answer, "0af76519-16cd-43dd-8448-eb211c80319c")
    error = raised.value
    of = edge.payload.name
    assert str(error) == f"'giver' returned {of} with n: str, but declares n: int"
    assert error.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert error.__cause__ is None


def test_a_reply_that_cannot_be_sent_is_a_failure_of_its_node_in_its_place(
    codec: RequestCodec,
    edge: Edge,
) -> None:
    cls = edge.payload.cls
    right = Answer("r", 1, True, cls(1), "giver")
    shapeless, large = right._replace(payload=cls(object())), right._replace(payload=cls("x" * 99))
    unknown = right._replace(payload=object())
    failure = Answer("r", 1, node="giver", cause_type="NodeOutputError")
    found = sent_answers(codec, [right, shapeless, right, large, unknown, right], 90)
    too_large = failure._replace(cause_type="RecordTooLargeError")
    assert found == [right, failure, right, too_large, failure, right]


@given(
    sizes=st.lists(st.integers(0, 120), min_size=1, max_size=20),
    limit=st.integers(60, 400),
    cut=st.integers(0, 20),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_fits_a_frame_is_sent_in_order_and_all_else_is_refused_each_by_itself(
    codec: RequestCodec, edge: Edge, sizes: list[int], limit: int, cut: int
) -> None:
    visits = [
        Visit(f"r{n}", n, edge, key(n), edge.payload.cls(n), Correlation("x" * size))
        for n, size in enumerate(sizes)
    ]
    parts, unsent = codec.visit_parts(visits[:cut], limit)
    more_parts, more_unsent = codec.visit_parts(visits[cut:], limit)
    frames = list(frames_of([*parts, *more_parts], limit))
    refused = [visits[int(failure.request[1:])] for failure in [*unsent, *more_unsent]]
    sent = [visit for frame in frames for visit in codec.visits(frame)]
    assert all(len(frame) <= limit for frame in frames)
    assert sent == [visit for visit in visits if visit not in refused]
    assert refused == [visit for visit in visits if len(codec.visit(visit)) + 1 > limit]


def test_a_payload_that_has_no_form_is_refused_and_the_others_are_sent(
    codec: RequestCodec, edge: Edge
) -> None:
    payloads = [edge.payload.cls(n) for n in (1, 2, object(), 4, 1 << 80)]
    visits = [Visit(f"r{n}", 1, edge, -n, payload) for n, payload in enumerate(payloads)]
    parts, unsent = codec.visit_parts(visits, 1 << 20)
    frames = frames_of(parts, 1 << 20)
    assert [v.request for frame in frames for v in codec.visits(frame)] == ["r0", "r1", "r3"]
    failure = Answer("r2", 1, node=edge.producer, cause_type="NodeOutputError")
    assert unsent == [failure, failure._replace(request="r4")]


def test_a_callers_payload_that_has_no_form_is_the_callers_fault(
    codec: RequestCodec, edge: Edge
) -> None:
    visit = Visit("r", 1, edge, -1, edge.payload.cls(object()))
    with pytest.raises(
        UnsendableRequestError,
        match=r"with a \w+ with n: object that MessagePack cannot carry \(TypeError\)$",
    ):
        codec.visit(visit)


class Counting(tzinfo):
    """Is asked for the offset whenever a time in it is encoded."""

    def __init__(self) -> None:
        self.asked = 0

    def utcoffset(self, dt: datetime | None) -> timedelta:
        self.asked += 1
        return timedelta(hours=1)


def test_however_much_does_not_fit_each_reply_is_encoded_twice_at_most(
    codec: RequestCodec,
    edge: Edge,
) -> None:
    cls, zone = edge.payload.cls, Counting()
    large = Answer("r", 1, True, cls((datetime(2000, 1, 1, tzinfo=zone), "x" * 700)), "giver")
    codec.answer_parts([large], 1000)
    once, zone.asked = zone.asked, 0
    frames = list(frames_of(codec.answer_parts([large] * 32, 1000), 1000))
    assert (len(frames), once > 0) == (32, True)
    assert zone.asked <= 2 * 32 * once


@pytest.mark.parametrize("count", [1, 15, 16, (1 << 16) - 1, 1 << 16])
def test_parts_of_any_number_of_elements_are_an_array_of_all(count: int) -> None:
    several = [WirePart(count, b"\x07" * count), WirePart(1, b"\x08")]
    (frame,) = frames_of(several, count + 6)
    assert msgspec.msgpack.decode(frame) == [7] * count + [8]
