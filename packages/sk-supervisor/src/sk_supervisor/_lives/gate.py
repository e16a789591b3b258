"""The readiness gate: which groups may be told to start work. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sk_config import ReadinessConfig


class GatePolicy(StrEnum):
    """When a group starts: when all groups are ready, when those downstream are, or at once."""

    ALL_READY = "all_ready"
    DOWNSTREAM_READY = "downstream_ready"
    OPEN = "open"


def gate_policy(readiness: ReadinessConfig) -> GatePolicy:
    """Return the policy that ``runtime.platform.readiness`` selects."""
    if not readiness.enabled:
        return GatePolicy.OPEN
    if readiness.start_work_on_all_groups_ready:
        return GatePolicy.ALL_READY
    return GatePolicy.DOWNSTREAM_READY


def downstream_of(edges: Iterable[tuple[str, str]], group: str) -> set[str]:
    """Return every other group that the output of ``group`` can reach."""
    pairs = list(edges)
    reached: set[str] = set()
    frontier = {group}
    while frontier:
        frontier = {b for a, b in pairs if a in frontier} - reached
        reached |= frontier
    return reached - {group}


def may_start(
    policy: GatePolicy, ready: Collection[str], downstream: Mapping[str, Collection[str]]
) -> tuple[str, ...]:
    """Return the ready groups that may start now, in the order of ``downstream`` (all groups)."""
    if policy is GatePolicy.ALL_READY:
        return tuple(downstream) if set(ready) >= downstream.keys() else ()
    if policy is GatePolicy.DOWNSTREAM_READY:
        return tuple(
            g for g, below in downstream.items() if g in ready and set(below) <= set(ready)
        )
    return tuple(g for g in downstream if g in ready)
