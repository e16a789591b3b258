"""From a graph and a placement to segments: what one process runs in one go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from sk_kernel._graph import Graph
from sk_kernel._units import Unit, state_units
from sk_kernel.errors import Fault, PreflightError


class Segment(Struct, frozen=True):
    """The units of one group that a batch passes without leaving the process in between.

    ``depth`` counts the process borders on the longest way from the source; ``upstream`` and
    ``downstream`` are the indices of the segments that it receives from and sends to. Arrows go to
    a greater depth only, so batches can wait for each other without a circle, even where a group
    is both before and behind another.
    """

    index: int
    group: str
    depth: int
    units: tuple[Unit, ...]
    upstream: tuple[int, ...]
    downstream: tuple[int, ...]

    @property
    def vertices(self) -> tuple[str, ...]:
        """The vertices of all units."""
        return tuple(name for unit in self.units for name in unit)


class ExecutionPlan(Struct, frozen=True):
    """The segments of a graph under a placement. Every process derives the same one."""

    graph: Graph
    group_of: Mapping[str, str]
    segments: tuple[Segment, ...]

    def segment_of(self, vertex: str) -> Segment:
        """The segment that runs a vertex."""
        return next(s for s in self.segments if vertex in s.vertices)

    def of_group(self, group: str) -> tuple[Segment, ...]:
        """A group's segments."""
        return tuple(s for s in self.segments if s.group == group)

    def crossing(self) -> tuple[tuple[str, type], ...]:
        """(producer, class) of the payloads that go from one group to another."""
        pairs = (
            (e.producer, e.payload.cls)
            for e in self.graph.edges
            if self.group_of[e.producer] != self.group_of[e.consumer]
        )
        return tuple(dict.fromkeys(pairs))

    def group_edges(self) -> tuple[tuple[str, str], ...]:
        """The pairs of different groups with a hop from the first to the second."""
        pairs = ((s.group, self.segments[d].group) for s in self.segments for d in s.downstream)
        return tuple(dict.fromkeys(p for p in pairs if p[0] != p[1]))


def make_plan(
    graph: Graph, group_of: Mapping[str, str], states_of: Mapping[str, Iterable[type]]
) -> ExecutionPlan:
    """Cut the graph at the group borders.

    :raises PreflightError: with every vertex without a group, and every state unit whose nodes
        (those between two that share a state included) are in different groups.
    """
    unplaced = [Fault(n, "unplaced", "a group") for n in graph.order if n not in group_of]
    if unplaced:
        raise PreflightError(unplaced)
    units = state_units(graph, states_of)
    faults = [_torn(unit, group_of) for unit in units if len({group_of[n] for n in unit}) > 1]
    if faults:
        raise PreflightError(faults)
    depth = _depths(graph, units, group_of)
    cuts: dict[tuple[int, str], list[Unit]] = {}
    for unit in units:
        cuts.setdefault((depth[unit[0]], group_of[unit[0]]), []).append(unit)
    ordered = sorted(cuts, key=lambda cut: cut[0])
    index_of = {n: i for i, cut in enumerate(ordered) for unit in cuts[cut] for n in unit}
    hops = {(index_of[e.producer], index_of[e.consumer]) for e in graph.edges}
    segments = tuple(
        Segment(
            index=i,
            group=cut[1],
            depth=cut[0],
            units=tuple(cuts[cut]),
            upstream=tuple(sorted(a for a, b in hops if b == i and a != i)),
            downstream=tuple(sorted(b for a, b in hops if a == i and b != i)),
        )
        for i, cut in enumerate(ordered)
    )
    return ExecutionPlan(graph, dict(group_of), segments)


def single_group(graph: Graph, group: str = "memory") -> dict[str, str]:
    """The placement of the memory profile: everything in one group."""
    return dict.fromkeys(graph.order, group)


def _torn(unit: Unit, group_of: Mapping[str, str]) -> Fault:
    places = ", ".join(f"{name} in {group_of[name]}" for name in unit)
    return Fault(unit[0], "torn_state", f"one group for all nodes of its state unit: {places}")


def _depths(graph: Graph, units: Iterable[Unit], group_of: Mapping[str, str]) -> dict[str, int]:
    depth: dict[str, int] = {}
    for unit in units:
        own = max(
            (
                depth[e.producer] + (group_of[e.producer] != group_of[e.consumer])
                for e in graph.edges
                if e.consumer in unit and e.producer not in unit
            ),
            default=0,
        )
        depth.update(dict.fromkeys(unit, own))
    return depth
