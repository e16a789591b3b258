"""Make the spans of records in vertices from passages, which were noted while the nodes ran."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, repeat
from typing import cast

from msgspec.structs import replace

from sk_kernel._graph.graph import SOURCE, Edge
from sk_kernel._graph.plan import ExecutionPlan
from sk_kernel._record.envelope import NO_CORRELATION, Correlation, Key, root_of
from sk_kernel._record.id_columns import MarkedRecords, joined_ids, marked_records
from sk_kernel._record.ids import TraceIds, joined_id, record_mark
from sk_kernel._record.trace_context import w3c_trace_id
from sk_kernel._trace.span import NO_ATTRIBUTES, NodeSpan, SpanLink
from sk_kernel._trace.span_columns import SpanColumns
from sk_kernel._trace.span_lanes import Lane, Lanes, Links, origin_of

Passages = tuple[
    Edge | None,
    Sequence[Key],
    Sequence[Correlation] | None,
    Sequence[int],
    Sequence[int],
    str | None,
]
"""Sampled records that came over one edge and passed its consumer. The fields are: the edge, None
for the source; the keys; the correlations at that time, None if there are none; the starts and the
ends, in nanoseconds since the epoch; the type of the exception raised, if any. While nodes run, a
sampled record costs no more than these columns of plain values.
"""

Given = tuple[str, Sequence[Key], Sequence[Correlation] | None]
"""Records that a vertex emitted: its name, their keys, their correlations or None if all empty."""

Causes = Mapping[tuple[str, Key], str]
"""Errors found after the passage was noted without one: the type of each, by vertex and key."""

_Record = tuple[str, int]  # the trace id of a record, and its mark in the ids of its spans
_NO_RECORDS = MarkedRecords((), 0)


class SpanMaker:
    """Makes the spans of one plan's vertices; every process derives the same ids for them.

    It works on columns: the nodes of a segment and the hops next to them see the same sampled keys
    of a batch, so that records and ids are looked up once for all of them.
    """

    def __init__(self, plan: ExecutionPlan, ids: TraceIds) -> None:
        self._ids, self._lanes = ids, Lanes(plan)
        self._many = {name for name, spec in plan.graph.nodes.items() if spec.emits.many}
        self._known: dict[object, _Record] = {}
        # The last keys without correlations, their records, and their span ids by a place's mark.
        self._keys: Sequence[Key] = ()
        self._records = _NO_RECORDS
        self._made: dict[int, Sequence[str]] = {}

    def columns(
        self, passages: Iterable[Passages], link: SpanLink | None, causes: Causes
    ) -> Iterator[SpanColumns]:
        """Yield the spans of these passages, in their order; for each passage, place by place.

        :param link: a link to the hop, for records that have come from another segment.
        :param causes: the errors of passages that were noted without one.
        """
        for passage in passages:
            edge, keys, _, _, ends, error = passage
            if not ends:
                continue
            *before, last = self._columns(passage, link)
            yield from before
            if causes and not error:
                vertex = edge.consumer if edge else SOURCE
                last = replace(last, errors=[causes.get((vertex, k)) for k in keys[: len(ends)]])
            yield last

    def _columns(self, passage: Passages, link: SpanLink | None) -> Iterator[SpanColumns]:
        """Yield the spans of a passage, for each place of the vertex."""
        edge, keys, known, starts, ends, error = passage
        lane = self._lanes.of(edge)
        if len(ends) < len(keys):
            keys, known = keys[: len(ends)], known and known[: len(ends)]
        records = self._records_of(keys, known)
        parents, links = self._origins(lane, keys, known, records)
        come_by = (link,) if link and lane.crosses else ()
        sequences = _sequences(keys)
        handoff = lane.handoff
        for name, group, hop, mark in lane.places:
            made = self._ids_of(records, mark)
            yield SpanColumns(
                name=name,
                process_group=group,
                route_hop=hop,
                handoff_from=handoff,
                trace_ids=records.traces,
                span_ids=made,
                parent_ids=parents,
                sequences=sequences,
                starts=starts,
                ends=ends,
                errors=[error] * len(keys) if error else None,
                links=come_by,
                own_links=links,
                attributes=_attributes_of(known, records.traces),
            )
            handoff, come_by, parents, links = None, (), made, None

    def _origins(
        self,
        lane: Lane,
        keys: Sequence[Key],
        known: Sequence[Correlation] | None,
        records: MarkedRecords,
    ) -> tuple[Sequence[str | None] | None, Sequence[Links] | None]:
        """Return the parents of the records' first spans in a vertex, and links to callers."""
        if known is None and lane.before is None:
            return None, None
        if known is None and lane.before and not (lane.cut and isinstance(keys[0], tuple)):
            return self._ids_of(records, lane.before.mark), None
        several = known or repeat(NO_CORRELATION)
        origins = [
            origin_of(lane, key, about, *self._record(key, about.trace_id))
            for key, about in zip(keys, several, strict=False)
        ]
        return [parent for parent, _ in origins], [links for _, links in origins]

    def alone(
        self, vertex: str, key: Key, given: str | None, at_ns: int, error: str, came_from: str
    ) -> NodeSpan:
        """Return the only span of a failed record that is not sampled: no parent, no duration."""
        trace, mark = self._record(key, given)
        place = self._lanes.last(vertex)
        return NodeSpan(
            trace_id=trace,
            span_id=joined_id(mark, place.mark),
            parent_id=None,
            name=place.name,
            process_group=place.group,
            route_hop=place.hop,
            handoff_from=came_from if came_from != place.group else None,
            sequence=root_of(key),
            start_ns=at_ns,
            end_ns=at_ns,
            error=error,
            attributes=_about(given, trace),
        )

    def links(self, given: Iterable[Given], most: int) -> list[SpanLink]:
        """Return links to the last span of each record in its producer, at most ``most``.

        The producers may run in any process.
        """
        links: list[SpanLink] = []
        for vertex, keys, known in given:
            mark, many = self._lanes.last(vertex).mark, vertex in self._many
            if known is None and not many:
                records = self._records_of(keys, None)
            else:
                origins = _origins_in(vertex, keys, known, many=many)
                records = marked_records(self._record(*origin) for origin in islice(origins, most))
            pairs = islice(zip(records.traces, self._ids_of(records, mark), strict=True), most)
            links += [SpanLink(trace, own) for trace, own in pairs]
        # Several payloads of one record may be sent, in several sections: link its span once.
        return list(islice(dict.fromkeys(links) if self._many else links, most))

    def forget(self) -> None:
        """Clear the caches, after the spans have been handed to the observers."""
        self._known.clear()
        self._made = {}
        self._keys, self._records = (), _NO_RECORDS

    def _records_of(
        self, keys: Sequence[Key], known: Sequence[Correlation] | None
    ) -> MarkedRecords:
        if known is not None:
            pairs = zip(keys, known, strict=True)
            return marked_records(self._record(key, about.trace_id) for key, about in pairs)
        if keys is not self._keys:
            numbered = keys and isinstance(keys[0], int)
            self._records = (
                self._ids.marked_at_once(cast(Sequence[int], keys))
                if numbered
                else marked_records(self._record(key, None) for key in keys)
            )
            self._keys, self._made = keys, {}
        return self._records

    def _ids_of(self, records: MarkedRecords, mark: int) -> Sequence[str]:
        """Return the ids of the records' spans in the place with this mark."""
        if records is not self._records:
            return joined_ids(records, mark)
        made = self._made.get(mark)
        if made is None:
            made = self._made[mark] = joined_ids(records, mark)
        return made

    def _record(self, key: Key, given: str | None) -> _Record:
        known = self._known.get((given, key) if given else key)
        if known is not None:
            return known
        if given:
            trace = w3c_trace_id(given)
            record = self._known[given, key] = trace, record_mark(trace, key)
        elif isinstance(key, int):
            record = self._known[key] = self._ids.marked(key)
        else:
            trace = self._ids.of(key[0])
            record = self._known[key] = trace, record_mark(trace, key)
        return record


def _origins_in(
    vertex: str, keys: Sequence[Key], known: Sequence[Correlation] | None, *, many: bool
) -> Iterable[tuple[Key, str | None]]:
    """Return the keys of the records that a vertex ran on, with the trace ids set on them."""
    several = known or repeat(NO_CORRELATION)
    return dict.fromkeys(
        (key[:-1] if many and isinstance(key, tuple) else key, about.trace_id)
        for key, about in zip(keys, several, strict=False)
        if about.traced_by != vertex  # otherwise the vertex's span is in the earlier trace
    )


def _attributes_of(
    known: Sequence[Correlation] | None, traces: Iterable[str]
) -> Sequence[Mapping[str, str | int]] | None:
    """Return the attributes of the records' spans; None without correlations."""
    if known is None:
        return None
    pairs = zip(known, traces, strict=True)
    return [_about(about.trace_id, trace) for about, trace in pairs]


def _sequences(keys: Sequence[Key]) -> Sequence[int]:
    if keys and isinstance(keys[0], int):
        return cast(Sequence[int], keys)
    return [root_of(key) for key in keys]


def _about(given: str | None, trace: str) -> Mapping[str, str | int]:
    """Return the attributes of a record: the trace id of its envelope, if it is not the span's."""
    if not given or given == trace:
        return NO_ATTRIBUTES
    # Escape lone surrogates, which a source may set: exporters would reject the whole group.
    told = given if given.isascii() else given.encode("utf-8", "backslashreplace").decode()
    return {"messaging.message.conversation_id": told}
