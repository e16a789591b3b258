"""Cut a graph into segments, by placement: a process runs a batch through a segment in one go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from sk_kernel._graph.graph import SINK, SOURCE, Graph
from sk_kernel._graph.sharing import segment_key
from sk_kernel._graph.units import Unit, state_units
from sk_kernel.errors import Fault, PreflightError


class Segment(Struct, frozen=True):
    """Units of one group that a batch passes through without leaving the process in between.

    ``depth`` counts the process borders on the longest path from the source; ``upstream`` and
    ``downstream`` are the indices of the segments that it receives from and sends to. Batches only
    go to a greater depth, so segments never wait for each other in a cycle, even when a group is
    both upstream and downstream of another.

    ``workers`` run the segment in parallel. Each takes the records whose attribute ``key`` belongs
    to it or, if ``key`` is None, whole batches in turn.
    """

    index: int
    group: str
    depth: int
    units: tuple[Unit, ...]
    upstream: tuple[int, ...]
    downstream: tuple[int, ...]
    workers: int = 1
    key: str | None = None

    @property
    def vertices(self) -> tuple[str, ...]:
        """The vertices of all units, in order."""
        return tuple(name for unit in self.units for name in unit)


class ExecutionPlan(Struct, frozen=True, dict=True):
    """The segments of a graph under a placement. Every process derives the same plan."""

    graph: Graph
    group_of: Mapping[str, str]
    segments: tuple[Segment, ...]

    def segment_of(self, vertex: str) -> Segment:
        """Return the segment that runs a vertex."""
        return self._segment_of[vertex]

    @cached_property
    def _segment_of(self) -> dict[str, Segment]:
        return {name: segment for segment in self.segments for name in segment.vertices}

    def of_group(self, group: str) -> tuple[Segment, ...]:
        """Return the segments of a group."""
        return tuple(s for s in self.segments if s.group == group)

    def crossing(self) -> tuple[tuple[str, type], ...]:
        """Return (producer, class) of the payloads that go from one group to another."""
        pairs = (
            (e.producer, e.payload.cls)
            for e in self.graph.edges
            if self.group_of[e.producer] != self.group_of[e.consumer]
        )
        return tuple(dict.fromkeys(pairs))

    def group_edges(self) -> tuple[tuple[str, str], ...]:
        """Return the pairs of different groups with a hop from the first to the second."""
        pairs = ((s.group, self.segments[d].group) for s in self.segments for d in s.downstream)
        return tuple(dict.fromkeys(p for p in pairs if p[0] != p[1]))


def make_plan(
    graph: Graph,
    group_of: Mapping[str, str],
    states_of: Mapping[str, Iterable[type]],
    *,
    workers_of: Mapping[str, int] | None = None,
    key_of: Mapping[type, str | None] | None = None,
) -> ExecutionPlan:
    """Cut the graph at the group borders.

    :param states_of: the states of each node that has any.
    :param workers_of: the number of workers of each group that has more than one.
    :param key_of: the key of each state; None for a global state.
    :raises PreflightError: with every vertex without a group; else with every state unit whose
        nodes (including those between two that share a state) are in different groups; else with
        every reason why several workers cannot share a segment.
    """
    unplaced = [Fault(n, "unplaced", "a group") for n in graph.order if n not in group_of]
    if unplaced:
        raise PreflightError(unplaced)
    units = state_units(graph, states_of)
    faults = [_torn(unit, group_of) for unit in units if len({group_of[n] for n in unit}) > 1]
    if faults:
        raise PreflightError(faults)
    keys = {
        name: [(key_of or {}).get(state) for state in states] for name, states in states_of.items()
    }
    segments = _segments(graph, units, group_of)
    return ExecutionPlan(graph, dict(group_of), _shared(graph, segments, workers_of or {}, keys))


def _segments(
    graph: Graph, units: Sequence[Unit], group_of: Mapping[str, str]
) -> tuple[Segment, ...]:
    """Make a segment for the units of each group at each depth; the source's segment is first."""
    depth = _depths(graph, units, group_of)
    cuts: dict[tuple[int, str], list[Unit]] = {}
    for unit in units:
        cuts.setdefault((depth[unit[0]], group_of[unit[0]]), []).append(unit)
    ordered = sorted(cuts, key=lambda cut: cut[0])
    index_of = {n: i for i, cut in enumerate(ordered) for unit in cuts[cut] for n in unit}
    hops = {(index_of[e.producer], index_of[e.consumer]) for e in graph.edges}
    # A segment without producers learns from the source's segment how far the run is. A segment
    # without consumers reports to the sink's segment, which commits when all work is done.
    led_to = {b for a, b in hops if a != b}
    hops |= {(index_of[SOURCE], i) for i in range(len(ordered)) if i not in led_to}
    leading = {a for a, b in hops if a != b}
    hops |= {(i, index_of[SINK]) for i in range(len(ordered)) if i not in leading}
    upstream: list[list[int]] = [[] for _ in ordered]
    downstream: list[list[int]] = [[] for _ in ordered]
    for a, b in sorted(hops):
        if a != b:
            upstream[b].append(a)
            downstream[a].append(b)
    return tuple(
        Segment(
            index=i,
            group=cut[1],
            depth=cut[0],
            units=tuple(cuts[cut]),
            upstream=tuple(upstream[i]),
            downstream=tuple(downstream[i]),
        )
        for i, cut in enumerate(ordered)
    )


def _shared(
    graph: Graph,
    segments: tuple[Segment, ...],
    workers_of: Mapping[str, int],
    keys_of: Mapping[str, Iterable[str | None]],
) -> tuple[Segment, ...]:
    faults: list[Fault] = []
    result = []
    for segment in segments:
        workers = workers_of.get(segment.group, 1)
        key: str | None = None
        if workers > 1:
            key, found = segment_key(graph, segment.vertices, segment.group, keys_of)
            faults += found
        result.append(replace(segment, workers=workers, key=key))
    if faults:
        raise PreflightError(faults)
    return tuple(result)


def single_group(graph: Graph, group: str = "memory") -> dict[str, str]:
    """Return the placement of the memory profile: every vertex in one group."""
    return dict.fromkeys(graph.order, group)


def _torn(unit: Unit, group_of: Mapping[str, str]) -> Fault:
    places = ", ".join(f"{name} in {group_of[name]}" for name in unit)
    return Fault(unit[0], "torn_state", f"one group for all nodes of its state unit: {places}")


def _depths(graph: Graph, units: Iterable[Unit], group_of: Mapping[str, str]) -> dict[str, int]:
    """Return the number of process borders before each vertex.

    Borders crossed only to report how far the run is count, too.
    """
    depth: dict[str, int] = {}
    leading = {e.producer for e in graph.edges}

    def depth_after(producer: str, group: str) -> int:
        return depth[producer] + (group_of[producer] != group)

    for unit in sorted(units, key=lambda unit: SINK in unit):
        before = {e.producer for name in unit for e in graph.edges_to(name)}.difference(unit)
        if SINK in unit:
            before |= depth.keys() - leading
        elif not before and SOURCE in depth:
            before = {SOURCE}
        own = max((depth_after(name, group_of[unit[0]]) for name in before), default=0)
        depth.update(dict.fromkeys(unit, own))
    return depth
