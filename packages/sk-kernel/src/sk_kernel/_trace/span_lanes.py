"""Fields that the spans of all records of one edge share, and the parents of these spans."""

from __future__ import annotations

from typing import NamedTuple

from sk_kernel._graph.graph import SOURCE, Edge
from sk_kernel._graph.plan import ExecutionPlan
from sk_kernel._record.envelope import Correlation, Key
from sk_kernel._record.ids import joined_id, node_mark, record_mark
from sk_kernel._record.trace_context import read_traceparent
from sk_kernel._trace.span import SpanLink
from sk_kernel._trace.span_tables import places_of, ways_of

Links = tuple[SpanLink, ...]
_NOTHING: tuple[None, Links] = (None, ())


class Mark(NamedTuple):
    """A place (a vertex or bridge) and the mark of its name in span ids."""

    name: str
    group: str
    hop: int
    mark: int


class Lane(NamedTuple):
    """The fields that the spans of all records of one edge share.

    ``before`` is the producer's last place. ``cut`` is how many trailing indices of a key were
    added after the producer ran. ``handoff`` is the group that the records come from, if it is
    another one. ``crosses`` says whether they come from another segment.
    """

    producer: str | None
    before: Mark | None
    cut: int
    handoff: str | None
    crosses: bool
    places: tuple[Mark, ...]


class Lanes:
    """The lanes of one plan, each made when it is first used."""

    def __init__(self, plan: ExecutionPlan) -> None:
        self._ways = ways_of(plan)
        self._places = {
            vertex: tuple(Mark(*place, node_mark(place.name)) for place in places)
            for vertex, places in places_of(plan).items()
        }
        self._of_name = {mark.name: mark for marks in self._places.values() for mark in marks}
        self._lanes: dict[tuple[str, str, int] | None, Lane] = {}

    def last(self, vertex: str) -> Mark:
        """Return the last place that a record passes in a vertex."""
        return self._places[vertex][-1]

    def of(self, edge: Edge | None) -> Lane:
        """Return the lane of an edge; None stands for the entry of records into the source."""
        kind = None if edge is None else (edge.producer, edge.consumer, edge.fanout)
        lane = self._lanes.get(kind)
        if lane is None:
            lane = self._lanes[kind] = self._entry() if edge is None else self._along(edge)
        return lane

    def _entry(self) -> Lane:
        return Lane(None, None, 0, None, False, self._places[SOURCE])

    def _along(self, edge: Edge) -> Lane:
        way, places = self._ways[edge.producer, edge.consumer], self._places[edge.consumer]
        return Lane(
            edge.producer,
            self._of_name[way.before],
            (edge.fanout > 1) + way.many,
            way.group if way.group != places[0].group else None,
            way.crosses,
            places,
        )


def origin_of(
    lane: Lane, key: Key, about: Correlation, trace: str, mark: int
) -> tuple[str | None, Links]:
    """Return the parent of a record's first span in a vertex, and its link to a caller's span."""
    if lane.before is None or about.traced_by == lane.producer:
        return _under(about.caller, trace) if about.caller else _NOTHING
    origin = key[: -lane.cut] if lane.cut and isinstance(key, tuple) else key
    own = mark if origin is key else record_mark(trace, origin)
    return joined_id(own, lane.before.mark), ()


def _under(caller: str, trace: str) -> tuple[str | None, Links]:
    """Return the caller's span as the parent, or as a link if it is in another trace."""
    said = read_traceparent(caller)
    if said is None:
        return None, ()
    if said.trace_id == trace:
        return said.span_id, ()
    return None, (SpanLink(said.trace_id, said.span_id),)
