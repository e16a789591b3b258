"""The lines of spans that come by columns are those that each of them would have."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sk_kernel import NodeSpan, SpanColumns, SpanLink, Spans
from sk_observability._exporting.exporter import Origin
from sk_observability._spans.lines import SpanLines

IDS = st.text("0123456789abcdef", min_size=1, max_size=4)
LINKS = st.lists(st.builds(SpanLink, IDS, IDS), max_size=2).map(tuple)
# What could be taken for a part of a template, beside any other text.
NAMES = st.text() | st.sampled_from(['"span_id":""', '","parent_id":null,"', "{0}%s", "\\"])


@st.composite
def columns(draw: st.DrawFn) -> SpanColumns:
    """Columns of some length, those that are mostly left out too."""
    size = draw(st.integers(1, 4))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=size, max_size=size))

    def seldom(values: st.SearchStrategy[Any]) -> list[Any] | None:
        return column(values) if draw(st.integers(0, 9)) == 9 else None

    return SpanColumns(
        name=draw(NAMES),
        process_group=draw(NAMES),
        route_hop=draw(st.integers(0, 9)),
        handoff_from=draw(st.none() | NAMES),
        links=draw(LINKS),
        trace_ids=column(IDS),
        span_ids=column(IDS),
        parent_ids=draw(st.sampled_from([None, column(IDS), column(st.none() | IDS)])),
        sequences=tuple(column(st.integers(0, 2**62))),
        starts=column(st.integers(0, 2**62)),
        ends=column(st.integers(0, 2**62)),
        errors=seldom(st.none() | IDS),
        own_links=seldom(LINKS),
        attributes=seldom(st.dictionaries(IDS, IDS, max_size=2)),
    )


@given(st.lists(columns(), max_size=4), st.none() | NAMES, st.none() | NAMES)
def test_spans_by_columns_have_the_lines_of_the_same_spans_one_by_one(
    parts: list[SpanColumns], worker: str | None, run_id: str | None
) -> None:
    origin = Origin(worker, run_id=run_id)
    lines, spans = SpanLines(origin), Spans(parts)
    expected = SpanLines(origin)(list(spans))
    assert lines(spans) == expected
    assert lines(spans) == expected  # by what it has kept


def test_spans_by_columns_and_single_ones_keep_their_order(span: Callable[..., NodeSpan]) -> None:
    part = SpanColumns(
        name="n",
        process_group="g",
        route_hop=0,
        handoff_from=None,
        trace_ids=["a", "b"],
        span_ids=["1", "2"],
        parent_ids=None,
        sequences=[2, 3],
        starts=[4, 5],
        ends=[6, 7],
    )
    written = SpanLines(Origin())(Spans([span(1), part, span(4)]))
    assert [json.loads(line)["sequence"] for line in written.splitlines()] == [1, 2, 3, 4]
