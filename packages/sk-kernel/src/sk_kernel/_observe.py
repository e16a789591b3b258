"""Spans of single records, for observers that are there; without one none of this runs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from sk_kernel._batch import Batch, Section, sampled_rows
from sk_kernel._envelope import NO_CORRELATION, Key, root_of
from sk_kernel._graph import SOURCE, Edge
from sk_kernel._hops import MOST_LINKS, Arrival, End, Hops, Parcel, ended
from sk_kernel._ids import TraceIds, span_id
from sk_kernel._plan import ExecutionPlan
from sk_kernel._span import NO_ATTRIBUTES, NodeObserver, NodeSpan, SpanLink
from sk_kernel._span_tables import Place, groups_before, places_of, ways_of
from sk_kernel._trace_context import TraceParent, w3c_trace_id
from sk_kernel.errors import NodeFailedError, RunError

#: When something began and ended, in nanoseconds since the epoch.
Times = tuple[int, int]

_NO_CALLERS: Mapping[int, TraceParent] = {}


class Tracer:
    """Makes the spans of one process's vertices and hops, and hands them on once a batch."""

    def __init__(
        self, plan: ExecutionPlan, ids: TraceIds, observers: Sequence[NodeObserver]
    ) -> None:
        self._ids, self._observers = ids, observers
        self._hops = Hops(plan, ids)
        self._places, self._ways = places_of(plan), ways_of(plan)
        self._before = groups_before(plan)
        self._many = {name for name, spec in plan.graph.nodes.items() if spec.emits.many}
        self._held: list[NodeSpan] = []
        # The ids of the spans held, by name and key, most parents among them; and of their traces.
        self._made: dict[tuple[str, Key], str] = {}
        self._traces: dict[int, str] = {}
        self._arrival: Arrival | None = None

    def ran(
        self, batch: Batch, edge: Edge, key: Key, times: Times, error: str | None = None
    ) -> None:
        """The consumer of ``edge`` ran on the record ``key`` that came over it."""
        way = self._ways[edge.producer, edge.consumer]
        known = batch.correlations.get(key, NO_CORRELATION)
        trace = self._trace(known.trace_id, key)
        parent = None
        if known.traced_by != edge.producer:
            # The key that the producer knew the record by has no index of this edge's branching.
            own = (edge.fanout > 1) + way.many
            origin = key[: len(key) - own] if isinstance(key, tuple) else key
            made = self._made.get((way.before, origin))
            parent = made or span_id(trace, way.before, origin)
        links = (self._arrival.link,) if way.crosses and self._arrival else ()
        visit = trace, key, known.trace_id, times, error
        self._add(self._places[edge.consumer], visit, parent, way.group, links)

    def read(
        self,
        records: Iterable[tuple[Key, str | None]],
        times: Times,
        callers: Mapping[int, TraceParent] = _NO_CALLERS,
    ) -> None:
        """The source gave these records, each with the trace id that its envelope has, if any.

        :param callers: what their ``traceparent`` said, by sequence number.
        """
        places = self._places[SOURCE]
        for key, given in records:
            trace = self._trace(given, key)
            visit = trace, key, given, times, None
            caller = callers.get(root_of(key))
            if caller is None:
                self._add(places, visit, None, places[0].group)
            elif caller.trace_id == trace:
                self._add(places, visit, caller.span_id, places[0].group)
            else:
                link = SpanLink(caller.trace_id, caller.span_id)
                self._add(places, visit, None, places[0].group, (link,))

    def failed(self, batch: Batch, vertex: str, key: Key, error: str) -> None:
        """A record that is not sampled failed in a vertex: its one span, without a parent.

        When the vertex began with it nobody has noted: the span has no length.
        """
        given, now = batch.correlation(key).trace_id, time.time_ns()
        visit = self._trace(given, key), key, given, (now, now), error
        place, before = self._places[vertex][-1], self._before[vertex]
        came_from = next(iter(before)) if len(before) == 1 else place.group
        self._add((place,), visit, None, came_from)

    def blame(self, batch: Batch, error: RunError) -> None:
        """The run ends with this error. Where it is a record's, one span of the record says so."""
        vertex, key = getattr(error, "node", ""), error.record
        if vertex not in self._places or key is None or root_of(key) > batch.last:
            return
        cause = error.cause_type if isinstance(error, NodeFailedError) else type(error).__name__
        if root_of(key) not in batch.sampled:
            self.failed(batch, vertex, key, cause)
            return
        own = self._made.get((self._places[vertex][-1].name, key))
        for i, span in enumerate(self._held):
            if span.span_id == own and span.error is None:
                self._held[i] = replace(span, error=cause)

    def received(self, batch: Batch, to: End, parcels: Iterable[Parcel]) -> None:
        """A segment begins with what other workers have sent of a batch; :meth:`flush` ends it."""
        if batch.sampled:
            self._arrival = self._hops.process(batch, to, parcels, time.time_ns())

    def sent(
        self, batch: Batch, by: End, to: End, sections: Sequence[Section], began_ns: int
    ) -> None:
        """A segment has sent these sections of a batch to another worker."""
        if batch.sampled and self._hops.are_told(batch, Parcel(by, sections), to):
            times = began_ns, time.time_ns()
            links = self._links(batch, sections)
            self._held.append(self._hops.send(batch, by, to, sections, times, links))

    def flush(self) -> None:
        """Hand the spans over."""
        if self._arrival:
            self._held.append(ended(self._arrival, time.time_ns()))
            self._arrival = None
        held, self._held = self._held, []
        if held:
            self._made.clear()
            self._traces.clear()
            for observer in self._observers:
                observer.on_spans(held)

    def close(self) -> None:
        """Flush and close the observers."""
        self.flush()
        for observer in self._observers:
            observer.close()

    def _trace(self, given: str | None, key: Key) -> str:
        if given:
            return w3c_trace_id(given)
        sequence = key if isinstance(key, int) else key[0]
        trace = self._traces.get(sequence)
        if trace is None:
            trace = self._traces[sequence] = self._ids.of(sequence)
        return trace

    def _links(self, batch: Batch, sections: Iterable[Section]) -> list[SpanLink]:
        """The spans of what gave the sampled records, as many as may be linked."""
        links: dict[SpanLink, None] = {}
        for section in sections:
            before = self._places[section.producer][-1].name
            many = section.producer in self._many
            for row in sampled_rows(section.keys, batch.sampled):
                if len(links) == MOST_LINKS:
                    break
                key = section.keys[row]
                known = batch.correlation(key)
                if known.traced_by != section.producer:  # else its span is of an earlier trace
                    origin = key[:-1] if many and isinstance(key, tuple) else key
                    trace = self._trace(known.trace_id, key)
                    links[SpanLink(trace, span_id(trace, before, origin))] = None
        return list(links)

    def _add(
        self,
        places: Sequence[Place],
        visit: tuple[str, Key, str | None, Times, str | None],
        parent: str | None,
        came_from: str,
        links: tuple[SpanLink, ...] = (),
    ) -> None:
        """Add the spans of a visit: its trace, key, the trace id given, its times, its error."""
        trace, key, given, (start, end), error = visit
        for place in places:
            own = self._made[place.name, key] = span_id(trace, place.name, key)
            self._held.append(
                NodeSpan(
                    trace_id=trace,
                    span_id=own,
                    parent_id=parent,
                    name=place.name,
                    process_group=place.group,
                    route_hop=place.hop,
                    handoff_from=came_from if came_from != place.group else None,
                    sequence=key if isinstance(key, int) else key[0],
                    start_ns=start,
                    end_ns=end,
                    error=error,
                    links=links,
                    attributes=NO_ATTRIBUTES if not given or given == trace else _about(given),
                )
            )
            parent, came_from, links = own, place.group, ()


def _about(given: str) -> Mapping[str, str | int]:
    """What is said of a record whose envelope gave it an id that is none of a trace."""
    return {"messaging.message.conversation_id": given}
