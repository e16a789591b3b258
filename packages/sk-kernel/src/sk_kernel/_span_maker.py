"""The spans of records in vertices: visits are noted while nodes run, and told many at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

from sk_kernel._envelope import NO_CORRELATION, Correlation, Key, root_of
from sk_kernel._graph import SOURCE, Edge
from sk_kernel._ids import TraceIds, joined_id, node_mark, record_mark
from sk_kernel._plan import ExecutionPlan
from sk_kernel._span import NO_ATTRIBUTES, NodeSpan, SpanLink
from sk_kernel._span_tables import places_of, ways_of
from sk_kernel._trace_context import read_traceparent, w3c_trace_id

Visits = tuple[
    Edge | None,
    Sequence[Key],
    Sequence[Correlation] | None,
    Sequence[int],
    Sequence[int],
    str | None,
]
"""Records came over an edge, None to the source: their keys, what was known of them then, or None
where that was nothing, when each began and ended, in nanoseconds since the epoch, and the type of
what was raised. Columns of plain values are what sampled records cost while the nodes run.
"""

_NOTHING: tuple[None, tuple[()]] = (None, ())


class _Mark(NamedTuple):
    """A place, the mark that its name leaves on ids, and the ids of its spans that are held."""

    name: str
    group: str
    hop: int
    mark: int
    made: dict[Key, str]


class _Lane(NamedTuple):
    """What the spans have in common of the records that come over one edge.

    ``cut`` is how many indices of a key the producer did not know; ``handoff`` the group that they
    come from, if that is another one.
    """

    producer: str | None
    before: _Mark | None
    cut: int
    handoff: str | None
    crosses: bool
    places: tuple[_Mark, ...]


class SpanMaker:
    """Makes the spans of one plan's vertices; every process gives them the same ids."""

    def __init__(self, plan: ExecutionPlan, ids: TraceIds) -> None:
        self._ids, self._ways = ids, ways_of(plan)
        self._places = {
            vertex: tuple(_Mark(*place, node_mark(place.name), {}) for place in places)
            for vertex, places in places_of(plan).items()
        }
        self._of_name = {mark.name: mark for marks in self._places.values() for mark in marks}
        self._lanes: dict[tuple[str, str, int] | None, _Lane] = {}
        # The traces of the records held, and the marks that those leave on ids.
        self._records: dict[object, tuple[str, int]] = {}

    def spans(self, visits: Iterable[Visits], link: SpanLink | None = None) -> list[NodeSpan]:
        """The spans of these visits, in their order.

        :param link: of what has come from another segment: the hop by which it came.
        """
        spans: list[NodeSpan] = []
        records = self._records
        arrived: tuple[SpanLink, ...] = (link,) if link else ()
        for edge, keys, known, starts, ends, error in visits:
            lane = self._lane(edge)
            entering = arrived if lane.crosses else ()
            plain, before = known is None and not lane.cut, lane.before.made if lane.before else {}
            correlations = repeat(NO_CORRELATION) if known is None else known
            for key, about, start, end in zip(keys, correlations, starts, ends, strict=False):
                given = about.trace_id
                record = records.get((given, key) if given else key)
                trace, mark = record or self._record(key, given)
                if plain and (parent := before.get(key)):
                    links = entering
                else:
                    parent, links = self._origin(lane, key, about, trace, mark)
                    links += entering
                handoff = lane.handoff
                for name, group, hop, place, made in lane.places:
                    span_id = made[key] = "%016x" % (mark ^ place)  # as joined_id() has it
                    spans.append(
                        NodeSpan(
                            trace_id=trace,
                            span_id=span_id,
                            parent_id=parent,
                            name=name,
                            process_group=group,
                            route_hop=hop,
                            handoff_from=handoff,
                            sequence=key if isinstance(key, int) else key[0],
                            start_ns=start,
                            end_ns=end,
                            error=error,
                            links=links,
                            attributes=_about(given, trace) if given else NO_ATTRIBUTES,
                        )
                    )
                    parent, handoff, links = span_id, None, ()
        return spans

    def _origin(
        self, lane: _Lane, key: Key, about: Correlation, trace: str, mark: int
    ) -> tuple[str | None, tuple[SpanLink, ...]]:
        """The parent of a record's first span in a vertex, and its link to a caller's."""
        before = lane.before
        if before is None or about.traced_by == lane.producer:
            return _under(about.caller, trace) if about.caller else _NOTHING
        origin = key[: -lane.cut] if lane.cut and isinstance(key, tuple) else key
        parent = before.made.get(origin)
        if parent is None:
            own = mark if origin is key else record_mark(trace, origin)
            parent = joined_id(own, before.mark)
        return parent, ()

    def alone(
        self, vertex: str, key: Key, given: str | None, at_ns: int, error: str, came_from: str
    ) -> NodeSpan:
        """The span, without a parent and without a length, of a record that failed in a vertex."""
        trace, mark = self._record(key, given)
        place = self._places[vertex][-1]
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

    def link(self, vertex: str, key: Key, given: str | None) -> SpanLink:
        """To the last span of a record in a vertex, wherever that is."""
        record = self._records.get((given, key) if given else key)
        trace, mark = record or self._record(key, given)
        place = self._places[vertex][-1]
        return SpanLink(trace, place.made.get(key) or joined_id(mark, place.mark))

    def made(self, vertex: str, key: Key) -> str | None:
        """The id of the last span of a record in a vertex, if it is held."""
        return self._places[vertex][-1].made.get(key)

    def forget(self) -> None:
        """The spans are handed over: nobody asks for them any more."""
        self._records.clear()
        for mark in self._of_name.values():
            mark.made.clear()

    def _record(self, key: Key, given: str | None) -> tuple[str, int]:
        if given:
            trace = w3c_trace_id(given)
            record = self._records[given, key] = trace, record_mark(trace, key)
        elif isinstance(key, int):
            record = self._records[key] = self._ids.marked(key)
        else:
            trace = self._ids.of(key[0])
            record = self._records[key] = trace, record_mark(trace, key)
        return record

    def _lane(self, edge: Edge | None) -> _Lane:
        kind = None if edge is None else (edge.producer, edge.consumer, edge.fanout)
        lane = self._lanes.get(kind)
        if lane is None:
            lane = self._lanes[kind] = self._entry() if edge is None else self._along(edge)
        return lane

    def _entry(self) -> _Lane:
        return _Lane(None, None, 0, None, False, self._places[SOURCE])

    def _along(self, edge: Edge) -> _Lane:
        way, places = self._ways[edge.producer, edge.consumer], self._places[edge.consumer]
        return _Lane(
            edge.producer,
            self._of_name[way.before],
            (edge.fanout > 1) + way.many,
            way.group if way.group != places[0].group else None,
            way.crosses,
            places,
        )


def _under(caller: str, trace: str) -> tuple[str | None, tuple[SpanLink, ...]]:
    """The parent of a first span, and its link: to a caller that is in another trace."""
    said = read_traceparent(caller)
    if said is None:
        return None, ()
    if said.trace_id == trace:
        return said.span_id, ()
    return None, (SpanLink(said.trace_id, said.span_id),)


def _about(given: str | None, trace: str) -> Mapping[str, str | int]:
    """What is said of a record whose envelope gave it an id that is none of a trace."""
    if not given or given == trace:
        return NO_ATTRIBUTES
    # A lone surrogate, which a source may give, is no text to an exporter: it would refuse all.
    told = given if given.isascii() else given.encode("utf-8", "backslashreplace").decode()
    return {"messaging.message.conversation_id": told}
