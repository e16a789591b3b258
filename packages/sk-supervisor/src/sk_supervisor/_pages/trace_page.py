"""One trace as a waterfall chart across the groups, on an HTML page of its own. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from sk_kernel import SpanLink

from sk_supervisor._pages.lanes import Scale, Swimlane, bar, colour, key, lanes, wait
from sk_supervisor._pages.trace_span import Row, Span
from sk_supervisor._pages.trace_words import facts_of, groups_of, number_of, span_place
from sk_supervisor._text.markup import Markup, Piece, page, tag
from sk_supervisor._text.units import lasting, moment

MOST_ROWS: Final = 2_000
"""The maximum number of spans on a page; the others are counted."""

Told: TypeAlias = Mapping[int, Sequence[str]]
"""What workers did during the wait before a row's span, by the row's index."""


class _Whole:
    """What drawing a row requires of the whole trace."""

    def __init__(self, rows: Sequence[Row], shown: Sequence[Row], meanwhile: Told) -> None:
        spans = [row.span for row in rows]
        self.spans, self.meanwhile = spans, meanwhile
        self.scale = Scale.of(min(s.start_ns for s in spans), max(s.end_ns for s in spans))
        self.groups = {name: number for number, name in enumerate(groups_of(spans))}
        #: The index of each span's first row, by span id; later rows with that id are repetitions.
        self.places = {r.span.span_id: n for n, r in reversed(list(enumerate(shown)))}


def trace_page(
    rows: Sequence[Row],
    count: int,
    told: Sequence[str] = (),
    meanwhile: Told = MappingProxyType({}),
) -> str:
    """Draw the trace of these rows; ``count`` is the number of all its spans.

    ``told`` are further notes: on lines that could not be read, and traces that are not drawn.
    """
    shown = rows[:MOST_ROWS]
    whole = _Whole(rows, shown, meanwhile)
    notes = list(told)
    if len(shown) < count:
        notes.append(f"{len(shown):,} of {count:,} spans are drawn.")
    legend = [key(colour(n), name or "(no group)") for name, n in whole.groups.items()]
    title = f"Trace {whole.spans[0].trace_id}"
    figure = lanes(
        (_lane(number, row, whole) for number, row in enumerate(shown)),
        whole.scale,
        heads=("span", "took"),
        facts=_with_link(facts_of(whole.spans, count), shown),
        legend=[*legend, key("wait", "waiting, since its parent ended")],
        notes=notes,
        label=title,
    )
    return page(title, figure)


def _with_link(facts: Sequence[tuple[str, str]], shown: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """Link the number of errors to the first span with an error."""
    failed = [number for number, row in enumerate(shown) if row.span.error is not None]
    for name, value in facts:
        leads = name == "errors" and failed
        yield name, tag("a", value, href=f"#s{failed[0]}") if leads else value


def _lane(number: int, row: Row, whole: _Whole) -> Swimlane:
    return Swimlane(
        name=list(_name(row)),
        drawn=list(_drawn(row, whole)),
        took=lasting(row.span.took_ns),
        facts=_facts(number, row, whole),
        depth=row.depth,
        anchor=f"s{number}",
    )


def _name(row: Row) -> Iterator[Piece]:
    span = row.span
    yield span.name
    if span.kind not in ("internal", ""):
        yield tag("small", span.kind)
    yield tag("small", span_place(span))
    if span.error is not None:
        yield tag("b", f"\N{MULTIPLICATION X}\N{NO-BREAK SPACE}{span.error}")
    if row.note is not None:
        yield tag("small", "(see its note)")


def _drawn(row: Row, whole: _Whole) -> Iterator[Markup]:
    span = row.span
    if row.waited_ns:
        yield wait(whole.scale, span.start_ns - row.waited_ns, row.waited_ns)
    own = colour(whole.groups[span.process_group]) + (" bad" if span.error is not None else "")
    yield bar(whole.scale, span.start_ns, span.took_ns, own, f"{span.name} {lasting(span.took_ns)}")


def _facts(number: int, row: Row, whole: _Whole) -> Iterator[tuple[str, Piece]]:
    span = row.span
    after = lasting(span.start_ns - whole.scale.begin)
    facts: list[tuple[str, Piece | None]] = [
        ("began", f"{moment(span.start_ns)}, after {after}"),
        ("took", lasting(span.took_ns)),
        ("waited", None if row.waited_ns is None else lasting(row.waited_ns)),
        *(("meanwhile", line) for line in whole.meanwhile.get(number, ())),
        ("raised", span.error),
        ("note", row.note),
        ("group", span.process_group or None),
        ("worker", span.worker),
        ("from group", span.handoff_from),
        ("hop", f"{span.route_hop:,}"),
        ("record", number_of(span.sequence)),
        ("kind", span.kind or None),
        ("span id", span.span_id),
        ("parent", None if span.parent_id is None else _reference(span.parent_id, whole)),
    ]
    facts += [("link", _linked(link, span, whole)) for link in span.links]
    facts += [(name, str(value)) for name, value in span.attributes.items()]
    return ((name, value) for name, value in facts if value is not None)


def _reference(span_id: str, whole: _Whole) -> Piece:
    place = whole.places.get(span_id)
    return span_id if place is None else tag("a", span_id, href=f"#s{place}")


def _linked(link: SpanLink, span: Span, whole: _Whole) -> Piece:
    if link.trace_id == span.trace_id:
        return _reference(link.span_id, whole)
    return f"{link.span_id} of trace {link.trace_id}"
