"""Fields that spans of one plan share, by vertex and by pair of vertices, computed once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sk_kernel._graph.graph import SINK, SOURCE
from sk_kernel._graph.plan import ExecutionPlan


class Place(NamedTuple):
    """The fields that all spans of a vertex or bridge share: name, group and depth."""

    name: str
    group: str
    hop: int


class Way(NamedTuple):
    """The fields that the spans of all records from one vertex to another share.

    ``before`` is the name of the producer's last place, ``group`` the producer's group. ``many``
    says whether the producer may return several payloads per record, ``crosses`` whether the two
    vertices are in different segments.
    """

    before: str
    group: str
    many: bool
    crosses: bool


def places_of(plan: ExecutionPlan) -> dict[str, tuple[Place, ...]]:
    """Return the places of each vertex, in the order in which a record passes them."""
    bridges = plan.graph.bridges()
    return {
        name: tuple(Place(step, s.group, s.depth) for step in _steps_of(name, bridges))
        for s in plan.segments
        for name in s.vertices
    }


def ways_of(plan: ExecutionPlan) -> dict[tuple[str, str], Way]:
    """Return the ways by producer and consumer; for requests, also from the source to each node."""
    graph, places = plan.graph, places_of(plan)
    segment_of = {name: s.index for s in plan.segments for name in s.vertices}
    many = {name for name, spec in graph.nodes.items() if spec.emits.many}
    ways = [(SOURCE, name) for name in graph.nodes] if SOURCE in places else []
    ways += [(e.producer, e.consumer) for e in graph.edges]
    return {
        (producer, consumer): Way(
            places[producer][-1].name,
            plan.group_of[producer],
            producer in many,
            segment_of[producer] != segment_of[consumer],
        )
        for producer, consumer in ways
    }


def groups_before(plan: ExecutionPlan) -> dict[str, set[str]]:
    """Return, for each vertex, the groups from which records come to it."""
    graph = plan.graph
    return {name: {plan.group_of[e.producer] for e in graph.edges_to(name)} for name in graph.order}


def _steps_of(vertex: str, bridges: Mapping[str, str]) -> tuple[str, ...]:
    """Return a vertex and its bridge, if any: after the source, or before the sink."""
    bridge = [name for name, adapter in bridges.items() if adapter == vertex]
    return (*bridge, vertex) if vertex == SINK else (vertex, *bridge)
