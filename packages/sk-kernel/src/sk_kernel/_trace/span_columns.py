"""Spans in columns: fields that the spans of one vertex share are stored once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import overload

from msgspec import Struct
from msgspec.structs import replace

from sk_kernel._trace.span import NO_ATTRIBUTES, NodeSpan, SpanLink


class SpanColumns(Struct, frozen=True, kw_only=True):
    """Spans of one vertex or bridge, of the kind ``internal``: one :class:`NodeSpan` per row.

    Fields that are not columns hold for all rows. A column that is None has the default value of a
    span in each row, or no parent; all other columns have the same length. The links of a row are
    its ``own_links``, followed by ``links``.
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
        """Whether the spans differ only in ids, sequence and times, as nearly all do.

        Every row then has a parent, or none has.
        """
        differ = self.errors or self.own_links or self.attributes
        return not differ and (self.parent_ids is None or all(self.parent_ids))

    def rows(self, first: int, last: int) -> SpanColumns:
        """Return the rows from ``first`` to ``last``, the latter excluded."""
        columns = {name: getattr(self, name) for name in _COLUMNS}
        return replace(self, **{name: c and c[first:last] for name, c in columns.items()})

    def spans(self) -> Iterator[NodeSpan]:
        """Yield the spans, one per row."""
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
    """The spans given to an observer, which are made once, when they are first accessed.

    An observer that writes many spans may use ``parts`` instead, which has the same order.
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
    """Yield the spans of ``parts`` in groups of ``most``, the last one with the remaining spans."""
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
