"""Spans of records and hops, in the form in which every exporter receives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, Protocol

import msgspec

SpanKind = Literal["internal", "producer", "consumer"]
"""Span kinds of OpenTelemetry: ``internal`` for a record in a vertex, the others for hop ends."""

NO_ATTRIBUTES: Mapping[str, str | int] = MappingProxyType({})
"""The attributes of all spans that have none."""


class SpanLink(msgspec.Struct, frozen=True, gc=False):
    """A link to another span that is causally related but not the parent."""

    trace_id: str
    span_id: str


class NodeSpan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record in one vertex, or one end of a batch's hop. Times are nanoseconds since the epoch.

    ``trace_id`` and ``span_id`` have the forms of W3C Trace Context, whatever an envelope set.
    ``parent_id`` is the span that produced the record. It is None for the source's own span, unless
    a caller's ``traceparent`` came with the record; when a node set a trace id on the record, which
    begins a new trace; and when a record that is not sampled failed, which has just this one span.

    ``route_hop`` is the depth of the vertex: the number of process borders on the longest path to
    it. ``handoff_from`` is the group that the record came from if it has just come from another
    group. ``sequence`` is the record's number at the source; for a hop, that of the batch's first
    record. ``error`` is the type of the exception that the node raised. Payloads that a
    ``finish()`` returns belong to no record and have no spans.

    The ``links`` of a record's first span after a hop lead to the consumer span of that hop; those
    of a consumer span to the producer spans of the batches that it took; those of a producer span
    to the spans of the sampled records that it sent, 128 at most. ``attributes`` holds further
    attributes, named by the semantic conventions of OpenTelemetry.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    process_group: str
    route_hop: int
    handoff_from: str | None
    sequence: int
    start_ns: int
    end_ns: int
    error: str | None = None
    kind: SpanKind = "internal"
    links: tuple[SpanLink, ...] = ()
    attributes: Mapping[str, str | int] = NO_ATTRIBUTES


class NodeObserver(Protocol):
    """Receives spans in the process and thread in which the node ran, and blocks that thread.

    Its methods must not raise.
    """

    def on_spans(self, spans: Sequence[NodeSpan]) -> None:
        """Receive spans; those of one name come in the order in which they ended.

        ``spans`` may be a :class:`Spans`, which makes the spans when they are accessed.
        """

    def close(self) -> None:
        """Export all spans that are held; no spans come afterwards."""
