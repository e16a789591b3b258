"""Spans of single records, for observers that are there; without one none of this runs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from sk_kernel._batch import Batch, Rows, Section
from sk_kernel._envelope import NO_CORRELATION, Correlation, Key, root_of
from sk_kernel._graph import Edge
from sk_kernel._hops import MOST_LINKS, Arrival, End, Hops, Parcel, ended
from sk_kernel._ids import TraceIds
from sk_kernel._plan import ExecutionPlan
from sk_kernel._sampled import SampledRows
from sk_kernel._span import NodeObserver, NodeSpan, SpanLink
from sk_kernel._span_maker import SpanMaker, Visits
from sk_kernel._span_tables import groups_before
from sk_kernel._trace_context import TraceParent, write_traceparent
from sk_kernel.errors import NodeFailedError, RunError

#: When something began and ended, in nanoseconds since the epoch.
Times = tuple[int, int]

_NO_CALLERS: Mapping[int, TraceParent] = {}


class Tracer:
    """Makes the spans of one process's vertices and hops, and hands them on once a batch.

    What runs is noted, and no more; spans are made of the notes when a segment is through with its
    batch, all in a row, since code that runs once in a while finds cold caches.
    """

    def __init__(
        self, plan: ExecutionPlan, ids: TraceIds, observers: Sequence[NodeObserver]
    ) -> None:
        self._observers = observers
        #: The rows of a batch that are sampled.
        self.rows = SampledRows()
        self._hops, self._maker = Hops(plan, ids, self.rows), SpanMaker(plan, ids)
        self._before, self._group_of = groups_before(plan), plan.group_of
        self._many = {name for name, spec in plan.graph.nodes.items() if spec.emits.many}
        self._visits: list[Visits] = []
        self._held: list[NodeSpan] = []
        self._arrival: Arrival | None = None

    def ran(
        self, batch: Batch, edge: Edge, key: Key, times: Times, error: str | None = None
    ) -> None:
        """The consumer of ``edge`` ran on the record ``key`` that came over it."""
        known = batch.correlations
        about = (known.get(key, NO_CORRELATION),) if known else None
        self._visits.append((edge, (key,), about, (times[0],), (times[1],), error))

    def ran_on(
        self,
        batch: Batch,
        rows: Rows,
        traced: Sequence[int],
        starts: Sequence[int],
        ends: Sequence[int],
    ) -> None:
        """A vertex ran on as many of these sampled rows as there are ends."""
        if len(rows.columns) > 1:
            for row, start, end in zip(traced, starts, ends, strict=False):
                self.ran(batch, rows.edge(row), rows.keys[row], (start, end))
            return
        keys, known = [rows.keys[row] for row in traced], batch.correlations
        about = [known.get(key, NO_CORRELATION) for key in keys] if known else None
        self._visits.append((rows.columns[0].edge, keys, about, starts, ends, None))

    def read(
        self,
        records: Iterable[tuple[Key, str | None]],
        times: Times,
        callers: Mapping[int, TraceParent] = _NO_CALLERS,
    ) -> None:
        """The source gave these records, each with the trace id that its envelope has, if any.

        :param callers: what their ``traceparent`` said, by sequence number.
        """
        keys: list[Key] = []
        about: list[Correlation] = []
        for key, given in records:
            keys.append(key)
            known = Correlation(given) if given else NO_CORRELATION
            if caller := callers.get(root_of(key)):
                said = write_traceparent(caller.trace_id, caller.span_id, sampled=caller.sampled)
                known = replace(known, caller=said)
            about.append(known)
        self._visits.append(
            (None, keys, about, [times[0]] * len(keys), [times[1]] * len(keys), None)
        )

    def failed(self, batch: Batch, vertex: str, key: Key, error: str) -> None:
        """A record that is not sampled failed in a vertex: its one span, without a parent.

        When the vertex began with it nobody has noted: the span has no length.
        """
        self._tell()
        given, before = batch.correlation(key).trace_id, self._before[vertex]
        came_from = next(iter(before)) if len(before) == 1 else self._group_of[vertex]
        span = self._maker.alone(vertex, key, given, time.time_ns(), error, came_from)
        self._held.append(span)

    def blame(self, batch: Batch, error: RunError) -> None:
        """The run ends with this error. Where it is a record's, one span of the record says so."""
        vertex, key = getattr(error, "node", ""), error.record
        if vertex not in self._before or key is None or root_of(key) > batch.last:
            return
        cause = error.cause_type if isinstance(error, NodeFailedError) else type(error).__name__
        if root_of(key) not in batch.sampled:
            self.failed(batch, vertex, key, cause)
            return
        self._tell()
        own = self._maker.made(vertex, key)
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

    def settle(self) -> None:
        """A segment is through with its batch, which it has not sent on."""
        self._tell()
        if self._arrival:
            self._held.append(ended(self._arrival, time.time_ns()))
            self._arrival = None

    def flush(self) -> None:
        """Hand the spans over."""
        self.settle()
        held, self._held = self._held, []
        if held:
            self._maker.forget()
            self.rows.forget()
            for observer in self._observers:
                observer.on_spans(held)

    def close(self) -> None:
        """Flush and close the observers."""
        self.flush()
        for observer in self._observers:
            observer.close()

    def _tell(self) -> None:
        """Make the spans of what has been noted."""
        visits, self._visits = self._visits, []
        if visits:
            self._held += self._maker.spans(visits, self._arrival.link if self._arrival else None)

    def _links(self, batch: Batch, sections: Iterable[Section]) -> list[SpanLink]:
        """The spans of what gave the sampled records, as many as may be linked."""
        links: dict[SpanLink, None] = {}
        correlations = batch.correlations
        for section in sections:
            producer, many = section.producer, section.producer in self._many
            for row in self.rows(section.keys, batch.sampled):
                if len(links) == MOST_LINKS:
                    break
                key = section.keys[row]
                known = correlations.get(key, NO_CORRELATION)
                if known.traced_by != producer:  # else its span is of an earlier trace
                    origin = key[:-1] if many and isinstance(key, tuple) else key
                    links[self._maker.link(producer, origin, known.trace_id)] = None
        return list(links)
