"""A span as read from a trace file, and the tree of a trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Final, NamedTuple

import msgspec
from sk_kernel import SpanLink

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
#: Negative for requests: see ``before_requests`` of the kernel.
_Sequence = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

GONE: Final = "its parent is not among the spans"
AGAIN: Final = "the same span once more: a batch that was run again, or a run of the same id"
CIRCLE: Final = "it is among its own ancestors"
GUIDED: Final = 24
"""The number of levels down to which the lines of a tree are drawn."""


class Span(msgspec.Struct, frozen=True, gc=False):
    """A line of the ``jsonl`` span exporter. Fields with a default may be missing."""

    trace_id: str
    span_id: str
    name: str
    start_ns: _Count
    end_ns: _Count
    parent_id: str | None = None
    process_group: str = ""
    handoff_from: str | None = None
    route_hop: _Count = 0
    sequence: _Sequence = 0
    error: str | None = None
    worker: str | None = None
    run_id: str | None = None
    kind: str = "internal"
    links: tuple[SpanLink, ...] = ()
    attributes: dict[str, str | int | float | bool] = {}

    @property
    def took_ns(self) -> int:
        """Its duration; 0 if the clock was set back."""
        return max(0, self.end_ns - self.start_ns)


class Row(NamedTuple):
    """A span at its position in the tree, with ``depth`` spans above it.

    ``guides`` says for each level, down to its own and at most `GUIDED`, whether another span
    follows at that level. ``waited_ns`` is the time from its parent's end to its own start (0 if
    they overlap), None without a parent.
    """

    span: Span
    depth: int
    guides: tuple[bool, ...]
    waited_ns: int | None
    note: str | None


_Place = tuple[Span, int, tuple[bool, ...]]


def rows_of(spans: Sequence[Span]) -> list[Row]:
    """Order a trace as a tree, depth first, by start time; each span once, even in a cycle."""
    ordered = sorted(spans, key=lambda span: (span.start_ns, span.route_hop, span.end_ns))
    first: dict[str, Span] = {}
    for span in ordered:
        first.setdefault(span.span_id, span)
    children: dict[str, list[Span]] = {}
    roots: list[Span] = []
    for span in ordered:
        above = span.parent_id
        known = above is not None and above in first and above != span.span_id
        (children.setdefault(above, []) if known and above else roots).append(span)
    told: set[int] = set()
    rows = list(_told(roots, first, children, told))
    for span in ordered:  # the rest are their own ancestors
        if id(span) not in told:
            rows += _told([span], first, children, told)
    return rows


def _told(
    roots: list[Span], first: dict[str, Span], children: dict[str, list[Span]], told: set[int]
) -> Iterator[Row]:
    # Without recursion, since a chain of spans may exceed the recursion limit.
    waiting: list[_Place] = [(span, 0, ()) for span in reversed(roots)]
    while waiting:
        span, depth, guides = waiting.pop()
        if id(span) in told:
            continue
        told.add(id(span))
        yield _row((span, depth, guides), first)
        if first[span.span_id] is span:
            below = [child for child in children.get(span.span_id, ()) if id(child) not in told]
            last = len(below) - 1
            waiting += [
                (child, depth + 1, (*guides, number < last)[:GUIDED])
                for number, child in reversed(list(enumerate(below)))
            ]


def _row(place: _Place, first: dict[str, Span]) -> Row:
    span, depth, guides = place
    parent = first.get(span.parent_id) if span.parent_id else None
    note = None
    if first[span.span_id] is not span:
        note = AGAIN
    elif span.parent_id is not None and parent is None:
        note = f"{GONE} ({span.parent_id})"
    elif span.parent_id is not None and not depth:
        note = CIRCLE
    waited = None if parent is None else max(0, span.start_ns - parent.end_ns)
    return Row(span, depth, guides, waited, note)


def covered_ns(spans: Iterable[Span]) -> int:
    """The total time in which at least one of the spans was running."""
    total, until = 0, 0
    for span in sorted(spans, key=lambda span: span.start_ns):
        total += max(0, span.end_ns - max(until, span.start_ns))
        until = max(until, span.end_ns)
    return total
