"""What is told of a record's way: spans, as every exporter gets them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, Protocol

import msgspec

SpanKind = Literal["internal", "producer", "consumer"]
"""As OpenTelemetry's: ``internal`` is a record in a vertex, the other two are the ends of a hop."""

NO_ATTRIBUTES: Mapping[str, str | int] = MappingProxyType({})
"""What a span without attributes has, shared by all."""


class SpanLink(msgspec.Struct, frozen=True, gc=False):
    """Another span that one goes back to, beside its parent."""

    trace_id: str
    span_id: str


class NodeSpan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record in one vertex, or one end of a batch's hop. Times are nanoseconds since the epoch.

    ``trace_id`` and ``span_id`` have the forms of W3C Trace Context, whatever an envelope gave.
    ``parent_id`` is the span of what produced the record; None for the source's own span, unless a
    caller's ``traceparent`` came with the record, where a node gave the record a trace id that
    begins a new trace, and where a record that is not sampled failed: that span stands alone.

    ``route_hop`` is the depth of the vertex: the number of process borders on the longest way
    there. ``handoff_from`` is the group that the record came from when it has just crossed one.
    ``sequence`` is the record's number at the source, of a hop that of its batch's first record.
    ``error`` is the type of what the node raised. What a ``finish()`` gives belongs to no record,
    and has no spans.

    ``links`` of the first span behind a hop: the consumer's; of a consumer's: the producers' whose
    batches it took; of a producer's: those of the sampled records that it sent, 128 at most.
    ``attributes`` are the further ones, named as the semantic conventions of OpenTelemetry do.
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
    """Receives spans, in the process and thread where the node ran, which waits for it meanwhile.

    Must not raise.
    """

    def on_spans(self, spans: Sequence[NodeSpan]) -> None:
        """Take spans; those of one name come in the order in which they ended.

        They may be a :class:`Spans`, which makes them when they are looked at.
        """

    def close(self) -> None:
        """Export what is held; nothing comes after."""
