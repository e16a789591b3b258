"""Placement: which process group runs which vertex, by the configured selectors. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from sk_kernel import Fault
from sk_kernel.runtime import SINK, SOURCE, Graph, is_reply_sink, is_request_source, one_of

if TYPE_CHECKING:
    from sk_config import GroupConfig

_ROOT = "runtime.platform.process_groups"


def place(graph: Graph, groups: Iterable[GroupConfig]) -> tuple[dict[str, str], list[Fault]]:
    """Return (group of each vertex, faults): every vertex must be placed in exactly one group.

    A group takes the vertices that it names and those that its ``stages``, ``tags`` or ``runners``
    select. Both an adapter and its bridge may be named, but not in different groups. The adapters
    of a run that serves requests, unless placed so, go to the first group with one worker, or else
    to the first group.
    """
    groups = tuple(groups)
    wanted: dict[str, list[str]] = {}
    bridges = graph.bridges()
    faults = unknown_faults((*graph.order, *bridges), groups)
    for index, group in enumerate(groups):
        path = f"{_ROOT}[{index}]"
        for name in group.nodes:
            vertex = bridges.get(name, name)
            if vertex in graph.order:
                wanted.setdefault(vertex, []).append(group.name)
        chosen = [v for v in graph.order if _selects(graph, group, v)]
        if not chosen and not group.nodes:
            faults.append(Fault(path, "empty_group", "selectors that match at least one node"))
        for vertex in chosen:
            wanted.setdefault(vertex, []).append(group.name)
    for vertex in graph.order:
        if vertex not in wanted and _is_ours(graph, vertex):
            wanted[vertex] = [_home(groups)]
        names = dict.fromkeys(wanted.get(vertex, ()))
        if not names:
            faults.append(Fault(vertex, "unplaced", "a process group that names or selects it"))
        elif len(names) > 1:
            faults.append(Fault(vertex, "placed_twice", f"one group, not {' and '.join(names)}"))
    return {vertex: names[0] for vertex, names in wanted.items()}, faults


def unknown_faults(known: Collection[str], groups: Iterable[GroupConfig]) -> list[Fault]:
    """A fault for each name in ``groups`` that is not a ``known`` one, of a vertex or a bridge."""
    return [
        Fault(f"{_ROOT}[{index}].nodes[{position}]", "unknown_node", one_of(known, name), name)
        for index, group in enumerate(groups)
        for position, name in enumerate(group.nodes)
        if name not in known
    ]


def workers_of(groups: Iterable[GroupConfig]) -> dict[str, int]:
    """The number of workers of each group that has more than one."""
    return {group.name: group.workers for group in groups if group.workers > 1}


def group_faults(
    graph: Graph, group_of: Mapping[str, str], groups: Iterable[GroupConfig]
) -> list[Fault]:
    """A fault for each group with coroutine nodes whose runner profile is not ``async``."""
    faults = []
    for index, group in enumerate(groups):
        path = f"{_ROOT}[{index}]"
        coroutines = [
            name
            for name, node in graph.nodes.items()
            if node.is_async and group_of.get(name) == group.name
        ]
        if coroutines and group.runner_profile != "async":
            are = "is a coroutine" if len(coroutines) == 1 else "are coroutines"
            wanted = f"async, since {' and '.join(coroutines)} {are}"
            faults.append(Fault(f"{path}.runner_profile", "runner_profile", wanted))
    return faults


def _is_ours(graph: Graph, vertex: str) -> bool:
    source, sink = vertex == SOURCE, vertex == SINK
    return (source and is_request_source(graph.source)) or (sink and is_reply_sink(graph.sink))


def _home(groups: tuple[GroupConfig, ...]) -> str:
    return next((group for group in groups if group.workers == 1), groups[0]).name


def _selects(graph: Graph, group: GroupConfig, vertex: str) -> bool:
    spec = (
        graph.source if vertex == SOURCE else graph.sink if vertex == SINK else graph.nodes[vertex]
    )
    runner = getattr(spec, "runner", None)
    return (
        spec.stage in group.stages
        or bool(spec.tags.intersection(group.tags))
        or (runner is not None and runner in group.runners)
    )
