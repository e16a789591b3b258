"""State units: the nodes that must see each record together, and never be spread over processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sk_kernel._graph.graph import Graph

Unit = tuple[str, ...]


def state_units(graph: Graph, states_of: Mapping[str, Iterable[type]]) -> tuple[Unit, ...]:
    """Partition the graph's vertices into units, each in graph order, each behind what feeds it.

    Nodes that share a state are in one unit, with every node on a path between two of them: else a
    record could enter the unit anew before the one ahead of it has left. For the same reason units
    that feed each other, over whatever nodes, are one. All other vertices are alone.
    """
    shared = _sharing(graph, states_of)
    after = _reachable(shared, graph)
    units: list[Unit] = []
    for first in shared:
        if not any(first[0] in unit for unit in units):
            mutual = {n for u in shared if u is first or _each_way(first, u, after) for n in u}
            units.append(tuple(name for name in graph.order if name in mutual))
    return _in_order(units, graph)


def _sharing(graph: Graph, states_of: Mapping[str, Iterable[type]]) -> list[Unit]:
    """The vertices by the states that they share, directly or over other nodes."""
    groups: list[tuple[set[str], set[type]]] = []
    for name in graph.order:
        names, states = {name}, set(states_of.get(name, ()))
        apart = []
        for group in groups:
            if group[1] & states:
                names |= group[0]
                states |= group[1]
            else:
                apart.append(group)
        groups = [*apart, (names, states)]
    return [tuple(n for n in graph.order if n in names) for names, _ in groups]


def _reachable(units: Sequence[Unit], graph: Graph) -> dict[Unit, set[Unit]]:
    of = {name: unit for unit in units for name in unit}
    feeds: dict[Unit, set[Unit]] = {unit: set() for unit in units}
    for edge in graph.edges:
        feeds[of[edge.producer]].add(of[edge.consumer])
    after: dict[Unit, set[Unit]] = {}
    for unit in units:
        found: set[Unit] = set()
        rest = list(feeds[unit])
        while rest:
            following = rest.pop()
            if following not in found:
                found.add(following)
                rest += feeds[following]
        after[unit] = found
    return after


def _each_way(one: Unit, other: Unit, after: Mapping[Unit, set[Unit]]) -> bool:
    return other in after[one] and one in after[other]


def _in_order(units: Iterable[Unit], graph: Graph) -> tuple[Unit, ...]:
    """Units that feed each other are merged, so what is left has such an order."""
    left = sorted(units, key=lambda unit: graph.order.index(unit[0]))
    ordered: list[Unit] = []
    while left:
        waiting = {name for unit in left for name in unit}
        blocked = {
            e.consumer
            for e in graph.edges
            if e.producer in waiting and not any({e.producer, e.consumer} <= set(u) for u in left)
        }
        free = next(unit for unit in left if blocked.isdisjoint(unit))
        left.remove(free)
        ordered.append(free)
    return tuple(ordered)
