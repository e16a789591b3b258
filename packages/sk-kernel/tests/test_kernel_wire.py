"""The wire codec: nothing lost, frames within their size, and nothing but WireError from bytes."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel import NodeOutputError, RecordTooLargeError, WireError
from sk_kernel._declare.specs import Emission, PayloadType, SinkSpec, SourceSpec
from sk_kernel._graph.builder import build_graph
from sk_kernel.runtime import (
    ApplicationContext,
    Batch,
    Correlation,
    Graph,
    Identity,
    Section,
    SegmentRunner,
    TraceIds,
    WireCodec,
    make_plan,
    note_trace,
    wire_faults,
)


class Row(msgspec.Struct, frozen=True):
    n: int
    text: str = ""


class Strict(msgspec.Struct, frozen=True):
    n: int

    def __post_init__(self) -> None:
        if self.n < -1:
            raise ValueError("Expected `int`, got `secret`")
        if self.n < 0:
            raise KeyError("whatever a user's type raises")


def graph_of(*classes: type) -> Graph:
    types = Emission(tuple(PayloadType(cls, cls) for cls in classes))
    source = SourceSpec("in", list, True, None, types, None)
    return build_graph(source, SinkSpec("out", list, True, None, types, None), {})


def section_of(graph: Graph, items: list[Any], keys: Any = None, target: Any = None) -> Section:
    payload = next(t for t in graph.source.payload.types if t.cls is type(items[0]))
    return Section("source:source", payload, target, keys or range(1, len(items) + 1), items)


GRAPH = graph_of(Row, Strict)
CODEC = WireCodec(GRAPH)
ROWS = st.lists(st.builds(Row, st.integers(-5, 5), st.text(max_size=30)), min_size=1, max_size=40)
CORRELATIONS = st.builds(
    Correlation,
    st.none() | st.text(max_size=8),
    st.none() | st.text(max_size=8),
    st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2),
    st.none() | st.just("node"),
)


@given(rows=ROWS, data=st.data(), max_bytes=st.integers(150, 1000))
def test_frames_keep_everything_and_stay_within_their_size(
    rows: list[Row], data: Any, max_bytes: int
) -> None:
    step = data.draw(st.integers(1, 3))
    keys = range(1, len(rows) + 1) if step == 1 else [n * step for n in range(1, len(rows) + 1)]
    known = data.draw(st.dictionaries(st.sampled_from(list(keys)), CORRELATIONS, max_size=3))
    batch = Batch(1, 1, len(rows) * step, correlations=dict(known))
    frames = CODEC.encode(batch, [section_of(GRAPH, list(rows), keys, "sink:sink")], max_bytes)
    received = Batch(1, 1, len(rows) * step)
    sections = [s for frame in frames for s in CODEC.decode(received, frame)]
    assert all(len(frame) <= max_bytes for frame in frames)
    assert [row for s in sections for row in s.items] == rows
    assert [key for s in sections for key in s.keys] == list(keys)
    assert {s.target for s in sections} == {"sink:sink"}
    assert received.correlations == known


def test_no_sections_are_one_frame() -> None:
    (frame,) = CODEC.encode(Batch(1, 1, 0), [], 100)
    assert CODEC.decode(Batch(1, 1, 0), frame) == []


def test_keys_that_are_all_of_a_batch_are_not_sent() -> None:
    rows = [Row(1) for _ in range(100)]
    (dense,) = CODEC.encode(Batch(1, 1, 100), [section_of(GRAPH, rows)], 10_000)
    (sparse,) = CODEC.encode(Batch(1, 1, 200), [section_of(GRAPH, rows)], 10_000)
    assert len(dense) <= len(sparse) - 100


def test_a_record_over_the_limit_is_named() -> None:
    rows = [Row(1), Row(2, "x" * 500), Row(3)]
    with pytest.raises(RecordTooLargeError) as caught:
        CODEC.encode(Batch(1, 1, 3), [section_of(GRAPH, rows)], 300)
    error = caught.value
    assert (error.node, error.sequence, error.limit) == ("source:source", 2, 300)
    assert error.size > 500


@pytest.mark.parametrize("bad", [1 << 70, "\ud800"])
def test_a_record_without_a_form_on_the_wire_is_named_by_node_and_record(bad: Any) -> None:
    rows = [Row(1), Row(bad) if isinstance(bad, int) else Row(2, bad), Row(3)]
    with pytest.raises(NodeOutputError) as caught:
        CODEC.encode(Batch(1, 1, 3), [section_of(GRAPH, rows)], 300)
    assert (caught.value.node, caught.value.sequence) == ("source:source", 2)
    assert str(caught.value).endswith(" on record 2")


class Held:
    """Of no type that MessagePack knows."""


def _in_itself() -> list[Any]:
    ring: list[Any] = []
    ring.append(ring)
    return ring


@pytest.mark.parametrize(
    ("bad", "got"),
    [
        (Row(1 << 70), "Row with n: int that MessagePack cannot carry (OverflowError)"),
        (
            Row(1, {"secret": [0, Held()]}),  # type: ignore[arg-type]
            "Row with text[...][1]: Held that MessagePack cannot carry (TypeError)",
        ),
        (
            Row(1, {Held(): 1}),  # type: ignore[arg-type]
            "Row with text (a key): Held that MessagePack cannot carry (TypeError)",
        ),
        (
            Row(array("l", [1])),  # type: ignore[arg-type]
            "Row with n: array that MessagePack cannot carry"
            " (TypeError; its .tolist() gives Python's own)",
        ),
        (
            Row(1, _in_itself()),  # type: ignore[arg-type]
            "Row that MessagePack cannot carry (RecursionError)",
        ),
    ],
)
def test_what_has_no_form_is_named_by_its_place_and_class(bad: Row, got: str) -> None:
    with pytest.raises(NodeOutputError) as caught:
        CODEC.encode(Batch(1, 1, 1), [section_of(GRAPH, [bad])], 300)
    assert caught.value.got == got


class Shelf(msgspec.Struct, frozen=True):
    rows: dict[str, list[Row]]


LISTED = Shelf({"secret": [Row(1), 3]})  # type: ignore[list-item]


class Odd(msgspec.Struct, frozen=True):
    n: int


@pytest.mark.parametrize(
    ("bad", "got", "declared"),
    [
        (Row("secret"), "Row with n: str", "n: int"),  # type: ignore[arg-type]
        (Row(1, None), "Row with text: None", "text: str"),  # type: ignore[arg-type]
        (LISTED, "Shelf with rows[...][1]: int", "rows[...][1]: mapping"),
        (Shelf({7: []}), "Shelf with a key in rows: int", "a key in rows: str"),  # type: ignore[dict-item]
        (Odd(-2), "Strict that the class refuses (ValidationError)", ""),
        (Odd(-1), "Strict that the class refuses (KeyError)", ""),
    ],
)
def test_a_field_of_the_wrong_type_is_its_producer_s_fault(
    bad: Any, got: str, declared: str
) -> None:
    """Nobody checks each record where it is made; found by the receiver, it names who made it."""
    good = {Row: Row(1), Shelf: Shelf({}), Odd: Strict(1)}
    graph = graph_of(Row, Shelf, Strict)
    section = section_of(graph, [good[type(bad)], bad, bad], [4, 7, 9])
    codec = WireCodec(graph)
    (frame,) = codec.encode(Batch(1, 1, 9), [section], 10_000)
    with pytest.raises(NodeOutputError) as caught:
        codec.decode(Batch(1, 1, 9), frame)
    error = caught.value
    assert (error.node, error.sequence, error.record) == ("source:source", 7, 7)
    assert (error.got, error.declared) == (got, declared)
    assert "secret" not in str(error)


def test_the_trace_of_a_record_that_cannot_be_read_is_the_one_that_its_envelope_gave() -> None:
    given = "0af7651916cd43dd8448eb211c80319c"
    sent = Batch(1, 1, 2, correlations={2: Correlation(given)})
    section = section_of(GRAPH, [Row(1), Row("x")])  # type: ignore[arg-type]
    (frame,) = CODEC.encode(sent, [section], 10_000)
    received = Batch(1, 1, 2)
    with pytest.raises(NodeOutputError) as caught:
        CODEC.decode(received, frame)
    note_trace(caught.value, received, TraceIds("r1"))
    assert caught.value.trace_id == given
    caught.value.about(1)
    note_trace(caught.value, received, TraceIds("r1"))
    assert caught.value.trace_id == TraceIds("r1").of(1)


@given(
    st.recursive(
        st.none() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5) | st.binary(max_size=5),
        lambda inner: st.lists(inner, max_size=6),
        max_leaves=20,
    )
)
def test_messagepack_at_random_raises_nothing_but_run_errors(value: Any) -> None:
    decoded_or_refused(msgspec.msgpack.encode([value]))


def test_sections_that_are_nearly_right_are_sections_or_run_errors() -> None:
    encoded = map(msgspec.msgpack.encode, ([], [{"n": 1}], [{"n": -1}], [{}], 3))
    parts = (
        (-2, -1, 0, 1, 2),
        (-2, -1, 0, 1, 2),
        (None, "sink:sink", "other"),
        (None, [1], [1, 2], [[1, 0]], [[]], ["x"]),
        ([], [[0, [None, None, {}]]], [[7, []]], [[-1, []]]),
        (*encoded, b"", b"\x91", [], 3),
    )
    frames = (msgspec.msgpack.encode([each]) for each in product(*parts))
    assert {decoded_or_refused(frame) for frame in frames} == {list, WireError, NodeOutputError}


def test_a_frame_with_any_byte_changed_is_sections_or_a_run_error() -> None:
    batch = Batch(1, 1, 9, correlations={4: Correlation("trace", None, {"h": "v"})})
    section = section_of(GRAPH, [Row(1, "x"), Row(2), Row(3)], [2, 4, 7], "sink:sink")
    (frame,) = CODEC.encode(batch, [section], 1000)
    frames = (
        frame[:at] + bytes([byte]) + frame[at + 1 :]
        for at in range(len(frame))
        for byte in range(256)
    )
    assert {decoded_or_refused(frame) for frame in frames} == {list, WireError, NodeOutputError}


def test_deep_nesting_raises_nothing_but_run_errors() -> None:
    assert decoded_or_refused(b"\x91" * 100_000) is WireError


def decoded_or_refused(data: bytes) -> type:
    """The type of the sections, or of the error."""
    try:
        sections = CODEC.decode(Batch(1, 1, 1), data)
    except (WireError, NodeOutputError) as error:
        return type(error)
    for section in sections:
        assert len(section.keys) == len(section.items)
        assert all(type(item) is section.payload.cls for item in section.items)
    return type(sections)


def test_what_comes_to_the_wrong_segment_is_a_wire_error(declare: Any, spec_of: Any) -> None:
    module = declare(
        """
        @source()
        def numbers() -> Iterator[A]:
            yield A(1)
        @node
        def one(a: A) -> B: ...
        @node
        def two(b: B) -> D: ...
        @sink()
        def out(d: D) -> None: ...
        """
    )
    context = ApplicationContext(spec_of(module))
    groups = dict.fromkeys(context.graph.order, "a") | {"two": "b"}
    plan = make_plan(context.graph, groups, {})
    segment = plan.segment_of("two")
    identity = Identity("r", "s", "b", TraceIds("r"))
    runner = SegmentRunner(context, plan, segment, context.container(), identity)
    stray = section_of(context.graph, [module.A(1)])
    with pytest.raises(WireError, match="A from 'source:source' is for another segment"):
        runner.run(Batch(1, 1, 1), [stray])


class Opaque:
    pass


class Holder(msgspec.Struct, frozen=True):
    inner: list[Opaque]
    again: Holder | None = None


class Recursive(msgspec.Struct, frozen=True):
    again: Recursive | None = None


@dataclass
class Bare:
    x: float
    rows: list  # type: ignore[type-arg]
    named: dict[str, Any]
    both: int | Any = 0
    inner: list[tuple] = field(default_factory=list)  # type: ignore[type-arg]
    thing: object = None


@dataclass
class Outer:
    bare: Bare


@dataclass
class Typed:
    rows: list[tuple[int, ...]]
    named: dict[str, int | str | None]


class OfPydantic:
    __module__ = "pydantic.main"


class Model(OfPydantic): ...


class Modelled(msgspec.Struct):
    model: Model


class Untagged(msgspec.Struct):
    either: Row | Recursive


@attrs.define
class Attrs:
    shown: int
    _own: int


_UNTAGGED = (
    "If a type union contains multiple Struct types, all Struct types must be tagged (via `tag` or"
    f" `tag_field` kwarg) - type `{Row | Recursive}` is not supported"
)
_BARE = "untyped in Bare.both, Bare.inner, Bare.named, Bare.rows, Bare.thing"


@pytest.mark.parametrize(
    ("cls", "got"),
    [
        (Opaque, "Opaque"),
        (Holder, "Holder with Opaque"),
        (Model, "Model, a model of pydantic"),
        (Modelled, "Modelled with Model, a model of pydantic"),
        (Bare, f"Bare, {_BARE}"),
        (Outer, f"Outer, {_BARE}"),
        (dict, "dict, untyped in dict"),
        (Untagged, f"Untagged with {_UNTAGGED}"),
        (Attrs, "Attrs with the private field Attrs._own of attrs, which is not sent"),
        (Recursive, None),
        (Typed, None),
        (Row, None),
    ],
)
def test_a_type_that_cannot_cross_is_found_before_a_run(cls: type, got: str | None) -> None:
    """Nor can one that does not say what it holds: what was a tuple would come out as a list."""
    faults = wire_faults(graph_of(cls), [("source:source", cls)] * 2)
    found = [(fault.path, fault.category, fault.got) for fault in faults]
    assert found == ([("source:source", "not_portable", got)] if got else [])
