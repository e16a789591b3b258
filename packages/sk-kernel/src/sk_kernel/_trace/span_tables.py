"""What the spans of one plan have in common, looked up once: vertices, and the ways between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sk_kernel._graph.graph import SINK, SOURCE
from sk_kernel._graph.plan import ExecutionPlan


class Place(NamedTuple):
    """Of the spans of one vertex, or of a bridge."""

    name: str
    group: str
    hop: int


class Way(NamedTuple):
    """Of the records that come from one vertex to another.

    ``before`` is the last place of the first one, which gives ``many`` payloads at a time or not;
    ``crosses`` says whether they are in different segments.
    """

    before: str
    group: str
    many: bool
    crosses: bool


def places_of(plan: ExecutionPlan) -> dict[str, tuple[Place, ...]]:
    """The places of each vertex, in the order in which a record passes them."""
    bridges = plan.graph.bridges()
    return {
        name: tuple(Place(step, s.group, s.depth) for step in _steps_of(name, bridges))
        for s in plan.segments
        for name in s.vertices
    }


def ways_of(plan: ExecutionPlan) -> dict[tuple[str, str], Way]:
    """The ways, by producer and consumer; and from the source to any node, which requests take."""
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
    """The groups that records come to each vertex from."""
    graph = plan.graph
    return {name: {plan.group_of[e.producer] for e in graph.edges_to(name)} for name in graph.order}


def _steps_of(vertex: str, bridges: Mapping[str, str]) -> tuple[str, ...]:
    """A vertex, with its bridge on the side of the nodes."""
    bridge = [name for name, adapter in bridges.items() if adapter == vertex]
    return (*bridge, vertex) if vertex == SINK else (vertex, *bridge)
