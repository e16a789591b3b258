"""Spans by columns are the spans that they stand for, and ids made at once those made singly."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel import NodeSpan, SpanColumns, SpanLink, Spans
from sk_kernel._record.id_columns import joined_ids, marked_records
from sk_kernel._record.ids import node_mark, record_mark
from sk_kernel._trace.span_columns import handed
from sk_kernel.runtime import TraceIds, span_id

TEXTS = st.text("0123456789abcdef", min_size=1, max_size=3)
LINKS = st.lists(st.builds(SpanLink, TEXTS, TEXTS), max_size=2).map(tuple)


@st.composite
def columns(draw: st.DrawFn) -> SpanColumns:
    """Columns of any length, each of which may be left out if it can be."""
    size = draw(st.integers(1, 6))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=size, max_size=size))

    def optional(values: st.SearchStrategy[Any]) -> list[Any] | None:
        return column(values) if draw(st.booleans()) else None

    return SpanColumns(
        name=draw(st.text()),
        process_group=draw(st.text()),
        route_hop=draw(st.integers(0, 9)),
        handoff_from=draw(st.none() | st.text()),
        links=draw(LINKS),
        trace_ids=column(TEXTS),
        span_ids=column(TEXTS),
        parent_ids=optional(st.none() | TEXTS),
        sequences=column(st.integers(0, 2**62)),
        starts=column(st.integers(0, 2**62)),
        ends=column(st.integers(0, 2**62)),
        errors=optional(st.none() | TEXTS),
        own_links=optional(LINKS),
        attributes=optional(st.dictionaries(TEXTS, TEXTS, max_size=2)),
    )


def single(number: int) -> NodeSpan:
    return NodeSpan(
        trace_id="t",
        span_id=str(number),
        parent_id=None,
        name="n",
        process_group="g",
        route_hop=0,
        handoff_from=None,
        sequence=number,
        start_ns=0,
        end_ns=0,
    )


PARTS = st.lists(columns() | st.builds(single, st.integers(0, 9)), max_size=5)


@given(columns())
def test_each_row_is_one_span_with_what_all_have_in_common(part: SpanColumns) -> None:
    spans = list(part.spans())
    assert len(spans) == len(part)
    for row, span in enumerate(spans):
        assert (span.name, span.process_group) == (part.name, part.process_group)
        assert (span.trace_id, span.end_ns) == (part.trace_ids[row], part.ends[row])
        assert span.parent_id == (part.parent_ids[row] if part.parent_ids else None)
        own = part.own_links[row] if part.own_links else ()
        assert span.links == (*own, *part.links)
        assert dict(span.attributes) == (part.attributes[row] if part.attributes else {})


@given(columns())
def test_plain_are_those_that_differ_in_ids_number_and_times_only(part: SpanColumns) -> None:
    spans = list(part.spans())
    as_one = (part.errors, part.own_links, part.attributes) == (None, None, None)
    same = len({span.parent_id is None for span in spans}) == 1
    assert part.is_plain == (
        as_one and same and not (part.parent_ids and spans[0].parent_id is None)
    )


@given(PARTS)
def test_spans_are_a_sequence_of_what_their_parts_stand_for(parts: list[Any]) -> None:
    one_by_one = [
        span for part in parts for span in (part.spans() if hasattr(part, "spans") else [part])
    ]
    spans = Spans(parts)
    assert len(spans) == len(one_by_one)
    assert list(spans) == one_by_one == spans[:]
    assert [spans[place] for place in range(len(spans))] == one_by_one


@given(PARTS, st.integers(1, 7))
def test_spans_are_handed_over_so_many_at_a_time_and_in_their_order(
    parts: list[Any], most: int
) -> None:
    calls = list(handed(parts, most))
    assert [span for spans in calls for span in spans] == list(Spans(parts))
    assert all(len(spans) == most for spans in calls[:-1])
    assert all(0 < len(spans) <= most for spans in calls)


@given(st.lists(st.integers(1, 2**62), min_size=1, max_size=9), st.text(), st.text())
def test_ids_that_are_made_at_once_are_those_made_one_by_one(
    sequences: list[int], run_id: str, node: str
) -> None:
    ids = TraceIds(run_id)
    records = ids.marked_at_once(sequences)
    assert list(records.traces) == [ids.of(sequence) for sequence in sequences]
    assert joined_ids(records, node_mark(node)) == [
        span_id(ids.of(sequence), node, sequence) for sequence in sequences
    ]
    one_by_one = [(ids.of(n), record_mark(ids.of(n), n)) for n in sequences]
    assert marked_records(one_by_one) == records


@pytest.mark.parametrize("count", [0, 1])
def test_of_no_records_there_are_no_ids(count: int) -> None:
    records = marked_records([("0" * 32, 0)] * count)
    assert joined_ids(records, 10) == [f"{10:016x}"] * count
