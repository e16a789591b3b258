"""Spans of single records, for observers that are there; without one none of this runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from sk_kernel._batch import Batch
from sk_kernel._envelope import Key, root_of
from sk_kernel._graph import SINK, SOURCE, Edge
from sk_kernel._ids import TraceIds, span_id
from sk_kernel._plan import ExecutionPlan


class NodeSpan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One record in one vertex. Times are nanoseconds since the epoch.

    ``parent_id`` is the span of what produced the record; None for the source's own span, and where
    a node gave the record a trace id that begins a new trace. ``route_hop`` is the depth of the
    vertex: the number of process borders on the longest way there. ``handoff_from`` is the group
    that the record came from when it has just crossed one. ``error`` is the type of what the node
    raised. What a ``finish()`` gives belongs to no record, and has no spans.
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


class NodeObserver(Protocol):
    """Receives spans, in the process and thread where the node ran. Must not raise or block."""

    def on_spans(self, spans: Sequence[NodeSpan]) -> None:
        """Take spans, in the order in which they ended."""

    def close(self) -> None:
        """Export what is held; nothing comes after."""


#: When something began and ended, in nanoseconds since the epoch.
Times = tuple[int, int]


class _Place(NamedTuple):
    """What the spans of one vertex, or of a bridge, have in common."""

    name: str
    group: str
    hop: int


class _Visit(NamedTuple):
    """A record in a vertex."""

    trace: str
    key: Key
    times: Times
    error: str | None = None


class Tracer:
    """Makes the spans of one group's vertices and hands them to the observers, once a batch."""

    def __init__(
        self, plan: ExecutionPlan, ids: TraceIds, observers: Sequence[NodeObserver]
    ) -> None:
        graph = plan.graph
        self._ids, self._observers = ids, observers
        self._places = {
            name: tuple(_Place(step, s.group, s.depth) for step in _steps_of(name, graph.bridges()))
            for s in plan.segments
            for name in s.vertices
        }
        self._many = {n for n, spec in graph.nodes.items() if spec.emits.many}
        self._held: list[NodeSpan] = []
        # The ids of the spans held, by name and key: most parents are among them.
        self._made: dict[tuple[str, Key], str] = {}

    def ran(
        self, batch: Batch, edge: Edge, key: Key, times: Times, error: str | None = None
    ) -> None:
        """The consumer of ``edge`` ran on the record ``key`` that came over it."""
        known = batch.correlation(key)
        trace = known.trace_id or self._ids.of(root_of(key))
        before = self._places[edge.producer][-1]
        parent = None
        if known.traced_by != edge.producer:
            # The key that the producer knew the record by has no index of this edge's branching.
            own = (edge.fanout > 1) + (edge.producer in self._many)
            origin = key[: len(key) - own] if isinstance(key, tuple) else key
            made = self._made.get((before.name, origin))
            parent = made or span_id(trace, before.name, origin)
        visit = _Visit(trace, key, times, error)
        self._add(edge.consumer, visit, parent, before.group)

    def read(self, records: Iterable[tuple[Key, str | None]], times: Times) -> None:
        """The source gave these records, each with the trace id that its envelope has, if any."""
        group = self._places[SOURCE][0].group
        for key, given in records:
            visit = _Visit(given or self._ids.of(root_of(key)), key, times)
            self._add(SOURCE, visit, None, group)

    def flush(self) -> None:
        """Hand the batch's spans over."""
        held, self._held = self._held, []
        self._made.clear()
        if held:
            for observer in self._observers:
                observer.on_spans(held)

    def close(self) -> None:
        """Flush and close the observers."""
        self.flush()
        for observer in self._observers:
            observer.close()

    def _add(self, vertex: str, visit: _Visit, parent: str | None, came_from: str) -> None:
        for place in self._places[vertex]:
            own = span_id(visit.trace, place.name, visit.key)
            self._made[place.name, visit.key] = own
            self._held.append(
                NodeSpan(
                    trace_id=visit.trace,
                    span_id=own,
                    parent_id=parent,
                    name=place.name,
                    process_group=place.group,
                    route_hop=place.hop,
                    handoff_from=came_from if came_from != place.group else None,
                    sequence=root_of(visit.key),
                    start_ns=visit.times[0],
                    end_ns=visit.times[1],
                    error=visit.error,
                )
            )
            parent, came_from = own, place.group


def _steps_of(vertex: str, bridges: Mapping[str, str]) -> tuple[str, ...]:
    """A vertex, with its bridge on the side of the nodes."""
    bridge = [name for name, adapter in bridges.items() if adapter == vertex]
    return (*bridge, vertex) if vertex == SINK else (vertex, *bridge)
