"""The strongly connected components of a graph: sets of vertices that reach each other. Pure."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

#: Replaces a vertex's low link once the vertex is assigned to a component.
_DONE: Final = sys.maxsize


def components(following: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the vertices grouped by component: Tarjan's algorithm, without recursion.

    :param following: the successors of each vertex.
    """
    found: list[list[str]] = []
    met: dict[str, int] = {}
    low: dict[str, int] = {}  # low links: the earliest visit that a vertex is known to reach
    path: list[str] = []  # the vertices visited that are in no component yet
    way: list[tuple[str, Iterator[str]]] = []

    def meet(vertex: str) -> None:
        met[vertex] = low[vertex] = len(met)
        path.append(vertex)
        way.append((vertex, iter(following[vertex])))

    for first in following:
        if first not in met:
            meet(first)
        while way:
            vertex, rest = way[-1]
            ahead = next(rest, None)
            if ahead is None:
                way.pop()
                if way:
                    before = way[-1][0]
                    low[before] = min(low[before], low[vertex])
                if low[vertex] == met[vertex]:
                    found.append(_cut(path, vertex))
                    low |= dict.fromkeys(found[-1], _DONE)
            elif ahead not in met:
                meet(ahead)
            else:
                low[vertex] = min(low[vertex], low[ahead])
    return found


def _cut(path: list[str], first: str) -> list[str]:
    """Remove ``first`` and everything after it from the path, and return it."""
    taken = [path.pop()]
    while taken[-1] != first:
        taken.append(path.pop())
    return taken
