"""What workers did while a record waited, as far as the spans in the files show it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sk_supervisor._pages.trace_span import Row, Span
from sk_supervisor._pages.trace_words import number_of, span_place
from sk_supervisor._text.units import lasting

MOST_WAITS: Final = 8
"""The maximum number of waits of a trace that are examined, the longest ones."""
_WORTH: Final = 100
"""Waits shorter than the duration of the trace divided by this are ignored."""
_NAMED: Final = 3
"""The number of nodes, or hops, of a worker that are named, the longest; others are counted."""


class Wait(NamedTuple):
    """The time between the end of a span's parent and the start of the span.

    ``row`` is the index of the span's row; ``places`` are the workers that it may have waited for:
    its own and, if that is another one, its parent's.
    """

    row: int
    name: str
    begin_ns: int
    end_ns: int
    places: tuple[str, ...]

    @property
    def took_ns(self) -> int:
        """Its duration."""
        return self.end_ns - self.begin_ns


@dataclass(slots=True)
class _Work:
    """The time that spans of one name took during a wait."""

    took_ns: int = 0
    spans: int = 0
    first: int = 0
    last: int = 0

    def add(self, span: Span, took_ns: int) -> None:
        number = span.sequence
        self.first = min(self.first, number) if self.spans else number
        self.last = max(self.last, number) if self.spans else number
        self.took_ns += took_ns
        self.spans += 1


@dataclass(slots=True)
class _Watched:
    """A worker during a wait: its nodes by name, and its batches' hops, which contain the nodes."""

    begin_ns: int
    end_ns: int
    nodes: dict[str, _Work] = field(default_factory=dict)
    hops: dict[str, _Work] = field(default_factory=dict)

    def add(self, span: Span) -> None:
        took_ns = min(span.end_ns, self.end_ns) - max(span.start_ns, self.begin_ns)
        if took_ns > 0:
            works = self.nodes if span.kind == "internal" else self.hops
            works.setdefault(span.name, _Work()).add(span, took_ns)


class Meanwhile:
    """Collects what the workers of some waits did during them."""

    def __init__(self, waits: Sequence[Wait]) -> None:
        self.waits = waits
        self._watched = {(w, p): _Watched(w.begin_ns, w.end_ns) for w in waits for p in w.places}
        self._by_place: dict[str, list[_Watched]] = {}
        for (_, place), watched in self._watched.items():
            self._by_place.setdefault(place, []).append(watched)

    def add(self, span: Span) -> None:
        """Take a span of the run; in any order."""
        for watched in self._by_place.get(span_place(span), ()):
            watched.add(span)

    def told(self, wait: Wait) -> list[str]:
        """A line about each worker of a wait: what it did."""
        return [f"{place}: {_told(self._watched[wait, place])}" for place in wait.places]

    def of_rows(self) -> dict[int, list[str]]:
        """The lines about each wait, by the index of its row."""
        return {wait.row: self.told(wait) for wait in self.waits}


def longest_waits(rows: Sequence[Row]) -> list[Wait]:
    """The waits of a trace that are worth examining, the longest first."""
    if not rows:
        return []
    parents: dict[str, Span] = {}
    for row in rows:
        parents.setdefault(row.span.span_id, row.span)
    whole = max(r.span.end_ns for r in rows) - min(r.span.start_ns for r in rows)
    found = []
    for number, row in enumerate(rows):
        if row.note is None and row.waited_ns and row.waited_ns * _WORTH >= whole:
            span, parent = row.span, parents[row.span.parent_id or ""]
            places = tuple(dict.fromkeys((span_place(span), span_place(parent))))
            found.append(Wait(number, span.name, parent.end_ns, span.start_ns, places))
    return sorted(found, key=lambda wait: (-wait.took_ns, wait.row))[:MOST_WAITS]


def _told(watched: _Watched) -> str:
    nodes = ", ".join(_named(watched.nodes, "node"))
    hops = ", ".join(_named(watched.hops, "hop"))
    parts = (nodes, f"in batches: {hops}" if hops else "")
    return "; ".join(filter(None, parts)) or "no span in the files"


def _named(works: dict[str, _Work], what: str) -> Iterator[str]:
    longest = sorted(works.items(), key=lambda item: (-item[1].took_ns, item[0]))
    for name, work in longest[:_NAMED]:
        spans = f"{work.spans:,} span{'s' * (work.spans != 1)}"
        yield f"{name} {lasting(work.took_ns)} ({spans}, {_records(work)})"
    if more := len(longest[_NAMED:]):
        yield f"{more:,} more {what}{'s' * (more != 1)}"


def _records(work: _Work) -> str:
    if work.last < 0:
        return "of requests"
    if work.last == 0:
        return "of the run"
    first = max(work.first, 0)
    numbers = number_of(first) if first == work.last else f"{first} to {work.last}"
    return f"record{'s' * (first != work.last)} {numbers}"
