"""State units: sets of nodes that must stay in one process and see each record together."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from itertools import pairwise

from sk_kernel._graph.components import components
from sk_kernel._graph.graph import Graph

Unit = tuple[str, ...]


def state_units(graph: Graph, states_of: Mapping[str, Iterable[type]]) -> tuple[Unit, ...]:
    """Partition the graph's vertices into units, each in graph order and after its producers.

    Nodes that share a state are in one unit, together with every node on a path between two of
    them: otherwise a record could re-enter the unit before the record ahead of it has left. For the
    same reason units that feed each other, directly or over other nodes, are merged. Every other
    vertex is a unit of its own.
    """
    rank = {name: place for place, name in enumerate(graph.order)}
    feeds = {name: [edge.consumer for edge in graph.edges_from(name)] for name in rank}
    # Add a ring of edges between the nodes that share a state: then the units are the strongly
    # connected components.
    ahead = {name: list(consumers) for name, consumers in feeds.items()}
    holders: dict[type, list[str]] = {}
    for name in rank:
        for state in states_of.get(name, ()):
            holders.setdefault(state, []).append(name)
    for several in holders.values():
        for one, other in pairwise([*several, several[0]]):
            ahead[one].append(other)
    units = [tuple(sorted(unit, key=rank.__getitem__)) for unit in components(ahead)]
    return _in_order(units, feeds, rank)


def _in_order(
    units: Iterable[Unit], feeds: Mapping[str, Iterable[str]], rank: Mapping[str, int]
) -> tuple[Unit, ...]:
    """Sort the units topologically; of the units that are ready, the first by rank comes next.

    Such an order exists, since units that feed each other have been merged.
    """
    unit_of = {name: unit for unit in units for name in unit}
    followers = {
        unit: {unit_of[name] for own in unit for name in feeds[own]} - {unit}
        for unit in unit_of.values()
    }
    missing = dict.fromkeys(followers, 0)
    for following in followers.values():
        for unit in following:
            missing[unit] += 1
    free = [(rank[unit[0]], unit) for unit, number in missing.items() if number == 0]
    heapq.heapify(free)
    ordered: list[Unit] = []
    while free:
        _, unit = heapq.heappop(free)
        ordered.append(unit)
        for after in followers[unit]:
            missing[after] -= 1
            if missing[after] == 0:
                heapq.heappush(free, (rank[after[0]], after))
    return tuple(ordered)
