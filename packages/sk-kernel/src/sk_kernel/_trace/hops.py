"""Spans of hops: a batch is sent to the worker of another segment, which processes it.

A batch is a batch in the sense of OpenTelemetry's conventions for messaging. Its sender makes a
PRODUCER span for each receiving worker; a worker makes one CONSUMER span for its part of the batch,
with a link to each of the producer spans. These spans form the trace of the batch; the traces of
the records continue across the hop and are linked to it. A hop without a sampled record has no
spans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sk_kernel._batch.batch import Batch, Section
from sk_kernel._batch.sampled import SampledRows
from sk_kernel._graph.plan import ExecutionPlan
from sk_kernel._record.ids import TraceIds, span_id
from sk_kernel._trace.span import NodeSpan, SpanLink

#: One end of a hop: the indices of a segment and of the worker that runs it.
End = tuple[int, int]

#: The most links of a producer span, as in OpenTelemetry's SDKs.
MOST_LINKS = 128

SYSTEM = "stream_kernel"


class Parcel(NamedTuple):
    """Sections of a batch that a worker received from the worker ``by``."""

    by: End
    sections: Sequence[Section]


class Arrival(NamedTuple):
    """The data of a consumer span: the worker ``to`` began a batch at ``start_ns``.

    ``first`` is the batch's first record, ``records`` the number of its records that the worker
    received, ``by`` the other workers that sent it sampled records.
    """

    number: int
    first: int
    by: Sequence[End]
    to: End
    records: int
    start_ns: int


class Sending(NamedTuple):
    """The data of a producer span: the worker ``by`` sent records of a batch to the worker ``to``.

    ``records`` is their number, ``times`` the start and the end in nanoseconds since the epoch.
    """

    number: int
    first: int
    by: End
    to: End
    records: int
    times: tuple[int, int]


class Hops:
    """Makes the spans of a plan's hops; every process derives the same ids for them."""

    def __init__(self, plan: ExecutionPlan, ids: TraceIds, rows: SampledRows) -> None:
        self._segments, self._ids, self._rows = plan.segments, ids, rows
        # The number of the last batch that each end has processed, and the id of its consumer span.
        self._taken: dict[End, tuple[int, str]] = {}

    def stays(self, by: End, to: End) -> bool:
        """Whether both ends are the same worker process, so that there is no hop."""
        return by[1] == to[1] and self._segments[by[0]].group == self._segments[to[0]].group

    def takes(
        self, batch: Batch, to: End, parcels: Iterable[Parcel], start_ns: int
    ) -> Arrival | None:
        """Return the arrival of a batch at a worker; None if no sampled record came by a hop."""
        told: set[End] = set()
        count = 0
        for by, sections in parcels:
            sampled: Sequence[int] = ()
            for section in sections:
                count += len(section.items)
                sampled = sampled or self._rows(section.keys, batch.sampled)
            if sampled and not self.stays(by, to):
                told.add(by)
        return (
            Arrival(batch.number, batch.first, sorted(told), to, count, start_ns) if told else None
        )

    def link(self, arrival: Arrival) -> SpanLink:
        """Return a link to the consumer span of an arrival."""
        trace = self._ids.of_batch(arrival.number)
        return SpanLink(trace, _processing(trace, arrival.to))

    def processed(self, arrival: Arrival, end_ns: int) -> NodeSpan:
        """Return the consumer span of an arrival, which ended at ``end_ns``."""
        number, to = arrival.number, arrival.to
        trace, segment = self._ids.of_batch(number), self._segments[to[0]]
        own = _processing(trace, to)
        self._taken[to] = number, own
        links = tuple([SpanLink(trace, _sending(trace, by, to)) for by in arrival.by])
        before = self._segments[arrival.by[0][0]].group
        return NodeSpan(
            kind="consumer",
            trace_id=trace,
            span_id=own,
            parent_id=links[0].span_id,
            name=f"process {segment.group}",
            process_group=segment.group,
            route_hop=segment.depth,
            handoff_from=before if before != segment.group else None,
            sequence=arrival.first,
            start_ns=arrival.start_ns,
            end_ns=end_ns,
            links=links,
            attributes=_attributes("process", segment.group, number, arrival.records),
        )

    def sent(self, sending: Sending, links: Iterable[SpanLink]) -> NodeSpan:
        """Return the producer span of a sending; ``links`` lead to the spans of sampled records.

        Call this after :meth:`processed` for the sender's own part of the batch: that consumer span
        becomes the parent.
        """
        number, by, to = sending.number, sending.by, sending.to
        known, taken = self._taken.get(by, (0, None))
        trace, sender = self._ids.of_batch(number), self._segments[by[0]]
        group = self._segments[to[0]].group
        return NodeSpan(
            kind="producer",
            trace_id=trace,
            span_id=_sending(trace, by, to),
            parent_id=taken if known == number else None,
            name=f"send {group}",
            process_group=sender.group,
            route_hop=sender.depth,
            handoff_from=None,
            sequence=sending.first,
            start_ns=sending.times[0],
            end_ns=sending.times[1],
            links=tuple(links),
            attributes=_attributes("send", group, number, sending.records),
        )


def _sending(trace_id: str, by: End, to: End) -> str:
    return span_id(trace_id, f"send {by[0]}.{by[1]} {to[0]}.{to[1]}", 0)


def _processing(trace_id: str, to: End) -> str:
    return span_id(trace_id, f"process {to[0]}.{to[1]}", 0)


def _attributes(operation: str, group: str, number: int, count: int) -> Mapping[str, str | int]:
    return {
        "messaging.system": SYSTEM,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": group,
        "messaging.batch.message_count": count,
        f"messaging.{SYSTEM}.batch": number,
    }
