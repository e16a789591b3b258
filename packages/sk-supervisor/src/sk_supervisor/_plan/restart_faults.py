"""Faults of groups that cannot be restarted because their state would be lost. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sk_kernel import Fault
from sk_kernel.runtime import SINK, SOURCE, Graph

if TYPE_CHECKING:
    from sk_config import GroupConfig

_ROOT = "runtime.platform.process_groups"
_WHY = {
    SOURCE: "the position of the source",
    SINK: "the output that the sink has not committed",
}


def restart_faults(
    graph: Graph,
    group_of: Mapping[str, str],
    states_of: Mapping[str, Iterable[type]],
    groups: Iterable[GroupConfig],
) -> list[Fault]:
    """A fault for each vertex whose state a restart of its group, as configured, would lose."""
    return [
        Fault(f"{_ROOT}[{index}].restart.policy", "restart_loses_state", _expected(vertex, lost))
        for index, group in enumerate(groups)
        if group.restart.policy != "never"
        for vertex in graph.order
        if group_of.get(vertex) == group.name and (lost := _lost(vertex, states_of))
    ]


def _lost(vertex: str, states_of: Mapping[str, Iterable[type]]) -> str:
    states = sorted(state.__name__ for state in states_of.get(vertex, ()))
    return _WHY.get(vertex) or (f"the state {' and '.join(states)}" if states else "")


def _expected(vertex: str, lost: str) -> str:
    return (
        f"never, or {vertex} in another group: a restart would lose {lost},"
        " which this version does not recover"
    )
