"""Spans as lines of JSON: columns of spans of one vertex by a template, others one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, cast

import msgspec
from sk_kernel import NodeSpan, SpanColumns, SpanLink, Spans

from sk_observability._exporting.exporter import Origin


class SpanLine(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A span's line of JSON: a `NodeSpan` and its exporter. The keys, in order, are the format.

    Of the last four, `kind` is left out if it is `internal`, the others if they are empty.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    process_group: str
    handoff_from: str | None
    route_hop: int
    sequence: int
    start_ns: int
    end_ns: int
    error: str | None
    worker: str | None
    run_id: str | None = None
    kind: str = "internal"
    links: tuple[SpanLink, ...] = ()
    attributes: dict[str, str | int] = {}


_json: Final = msgspec.json.encode
_json_lines: Final = msgspec.json.Encoder().encode_lines
_COLUMNS: Final = ("trace_id", "span_id", "parent_id", "sequence", "start_ns", "end_ns")


def span_line(span: NodeSpan, origin: Origin) -> SpanLine:
    """Return the content of a span's line."""
    return SpanLine(
        span.trace_id,
        span.span_id,
        span.parent_id,
        span.name,
        span.process_group,
        span.handoff_from,
        span.route_hop,
        span.sequence,
        span.start_ns,
        span.end_ns,
        span.error,
        origin.worker,
        origin.run_id,
        span.kind,
        span.links,
        dict(span.attributes) if span.attributes else {},
    )


class SpanLines:
    """Encodes spans as lines of JSON, for an exporter at `origin`.

    The common values of spans in columns are encoded once, into a template.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._templates: dict[tuple[object, ...], list[str]] = {}

    def __call__(self, spans: Sequence[NodeSpan]) -> bytes:
        """Return one line of JSON per span, in their order."""
        if not isinstance(spans, Spans):
            return self._one_by_one(spans)
        return b"".join([self._part(part) for part in spans.parts])

    def _part(self, part: SpanColumns | NodeSpan) -> bytes:
        if isinstance(part, NodeSpan):
            return self._one_by_one((part,))
        return self._filled(part) if part.is_plain else self._one_by_one(part.spans())

    def _one_by_one(self, spans: Iterable[NodeSpan]) -> bytes:
        return _json_lines([span_line(span, self._origin) for span in spans])

    def _filled(self, part: SpanColumns) -> bytes:
        template = self._template(part)
        pieces, step, place = template * len(part), len(template), 1
        for texts in (part.trace_ids, part.span_ids, part.parent_ids):
            if texts is not None:  # a plain part has all parent ids or none
                pieces[place::step] = cast(Sequence[str], texts)
                place += 2
        for numbers in (part.sequences, part.starts, part.ends):
            pieces[place::step] = _json(numbers).decode()[1:-1].split(",")
            place += 2
        return "".join(pieces).encode()

    def _template(self, part: SpanColumns) -> list[str]:
        """Return the text around the columns' values, with an empty string for each value."""
        if part.links:  # they differ for each batch: not worth keeping
            return self._made(part)
        place = part.name, part.process_group, part.handoff_from, part.route_hop
        key = *place, part.parent_ids is None
        known = self._templates.get(key)
        if known is None:
            known = self._templates[key] = self._made(part)
        return known

    def _made(self, part: SpanColumns) -> list[str]:
        empty = NodeSpan(
            trace_id="",
            span_id="",
            parent_id=None if part.parent_ids is None else "",
            name=part.name,
            process_group=part.process_group,
            route_hop=part.route_hop,
            handoff_from=part.handoff_from,
            sequence=0,
            start_ns=0,
            end_ns=0,
            links=part.links,
        )
        pieces: list[str] = []
        rest = self._one_by_one((empty,)).decode()
        for name in _COLUMNS:
            if name == "parent_id" and part.parent_ids is None:
                continue
            # No value in the line contains this key: quotation marks in values are escaped.
            before, found, rest = rest.partition(f'"{name}":')
            quote = '"' if rest[0] == '"' else ""
            pieces += [before + found + quote, ""]
            rest = quote + rest.lstrip('"0')
        return [*pieces, rest]
