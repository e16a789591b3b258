"""Spans by columns: what those of one vertex have in common is said once, for whoever writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import overload

from msgspec import Struct
from msgspec.structs import replace

from sk_kernel._trace.span import NO_ATTRIBUTES, NodeSpan, SpanLink


class SpanColumns(Struct, frozen=True, kw_only=True):
    """Spans of one place, of the kind ``internal``: a :class:`NodeSpan` for each row.

    What is no column holds for all of them. A column that is None has in each row what a span has
    by default, or no parent; the others are of the same length. ``links`` are behind those of
    ``own_links``.
    """

    name: str
    process_group: str
    route_hop: int
    handoff_from: str | None
    links: tuple[SpanLink, ...] = ()
    trace_ids: Sequence[str]
    span_ids: Sequence[str]
    parent_ids: Sequence[str | None] | None
    sequences: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]
    errors: Sequence[str | None] | None = None
    own_links: Sequence[tuple[SpanLink, ...]] | None = None
    attributes: Sequence[Mapping[str, str | int]] | None = None

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def is_plain(self) -> bool:
        """Whether the spans differ in ids, number and times only: nearly all do."""
        differ = self.errors or self.own_links or self.attributes
        return not differ and (self.parent_ids is None or all(self.parent_ids))

    def rows(self, first: int, last: int) -> SpanColumns:
        """Those in ``first..last``, the latter excluded."""
        columns = {name: getattr(self, name) for name in _COLUMNS}
        return replace(self, **{name: c and c[first:last] for name, c in columns.items()})

    def spans(self) -> Iterator[NodeSpan]:
        """The spans, one by one."""
        for trace, own, parent, sequence, start, end, error, links, attributes in zip(
            self.trace_ids,
            self.span_ids,
            self.parent_ids or repeat(None),
            self.sequences,
            self.starts,
            self.ends,
            self.errors or repeat(None),
            self.own_links or repeat(()),
            self.attributes or repeat(NO_ATTRIBUTES),
            strict=False,
        ):
            yield NodeSpan(
                trace_id=trace,
                span_id=own,
                parent_id=parent,
                name=self.name,
                process_group=self.process_group,
                route_hop=self.route_hop,
                handoff_from=self.handoff_from,
                sequence=sequence,
                start_ns=start,
                end_ns=end,
                error=error,
                links=(*links, *self.links),
                attributes=attributes,
            )


_COLUMNS = SpanColumns.__struct_fields__[SpanColumns.__struct_fields__.index("trace_ids") :]


class Spans(Sequence[NodeSpan]):
    """Spans as an observer gets them: made when they are looked at, once.

    Who writes many of them may take the ``parts`` instead, in the same order.
    """

    def __init__(self, parts: Sequence[SpanColumns | NodeSpan]) -> None:
        self.parts = parts
        self._count = sum([len(p) if isinstance(p, SpanColumns) else 1 for p in parts])
        self._made: list[NodeSpan] | None = None

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[NodeSpan]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> NodeSpan: ...
    @overload
    def __getitem__(self, index: slice) -> list[NodeSpan]: ...
    def __getitem__(self, index: int | slice) -> NodeSpan | list[NodeSpan]:
        return self._all()[index]

    def _all(self) -> list[NodeSpan]:
        if self._made is None:
            made: list[NodeSpan] = []
            for part in self.parts:
                made += part.spans() if isinstance(part, SpanColumns) else (part,)
            self._made = made
        return self._made


def handed(parts: Iterable[SpanColumns | NodeSpan], most: int) -> Iterator[Spans]:
    """These, so many spans at a time and at last the rest."""
    some: list[SpanColumns | NodeSpan] = []
    room = most
    for part in parts:
        rest = part
        while isinstance(rest, SpanColumns) and len(rest) > room:
            yield Spans([*some, rest.rows(0, room)])
            rest, some, room = rest.rows(room, len(rest)), [], most
        some.append(rest)
        room -= len(rest) if isinstance(rest, SpanColumns) else 1
        if not room:
            yield Spans(some)
            some, room = [], most
    if some:
        yield Spans(some)
