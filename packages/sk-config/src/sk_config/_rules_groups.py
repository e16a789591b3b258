"""The rules for each process group, for all groups together, and for `process_supervisor`.

They are called in the same way as those in `_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sk_config._finding import Finding
from sk_config._malformed import is_left_out, items_or_empty, mapping_or_empty
from sk_config._path import Path
from sk_config._rules import restart_findings
from sk_config._show import show

SELECTORS: Final = ("nodes", "stages", "tags", "runners")
"""The keys by which a group selects its nodes."""


def group_findings(group: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check that a group selects nodes and names none twice, and check its restart block."""
    yield from restart_findings(mapping_or_empty(group.get("restart")), (*path, "restart"))
    if all(is_left_out(group.get(selector)) for selector in SELECTORS):
        expected = f"at least one of {', '.join(SELECTORS)}"
        yield Finding(path, "missing", expected, "a group that selects no node")
    seen: set[str] = set()
    for index, node in enumerate(items_or_empty(group.get("nodes"))):
        if isinstance(node, str):
            if node in seen:
                there = (*path, "nodes", index)
                yield Finding(there, "conflict", "each node once in a group", show(node))
            seen.add(node)


def platform_findings(platform: Mapping[str, Any], path: Path = ()) -> Iterator[Finding]:
    """Check that groups share no name and no node, and what `process_supervisor` needs."""
    groups = [mapping_or_empty(group) for group in items_or_empty(platform.get("process_groups"))]
    path_of_groups = (*path, "process_groups")
    yield from _duplicate_names(groups, path_of_groups)
    yield from _nodes_in_two_groups(groups, path_of_groups)
    if mapping_or_empty(platform.get("bootstrap")).get("mode") == "process_supervisor":
        yield from _supervisor_needs(platform, path)


def _duplicate_names(groups: list[Mapping[str, Any]], path: Path) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, group in enumerate(groups):
        name = group.get("name")
        if isinstance(name, str) and first.setdefault(name, index) != index:
            expected = f"a name of its own, other than that of process_groups[{first[name]}]"
            yield Finding((*path, index, "name"), "conflict", expected, show(name))


def _nodes_in_two_groups(groups: list[Mapping[str, Any]], path: Path) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, group in enumerate(groups):
        for place, node in enumerate(items_or_empty(group.get("nodes"))):
            if isinstance(node, str) and first.setdefault(node, index) != index:
                expected = f"each node in one group; process_groups[{first[node]}] names it, too"
                yield Finding((*path, index, "nodes", place), "conflict", expected, show(node))


def _supervisor_needs(platform: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    ipc = mapping_or_empty(platform.get("execution_ipc"))
    transport = ipc.get("transport", "memory")
    reason = "since bootstrap.mode is process_supervisor"
    if transport != "tcp_local":
        there = (*path, "execution_ipc", "transport")
        yield Finding(there, "conflict", f"tcp_local, {reason}", show(transport))
    if ipc.get("control") is None:
        there = (*path, "execution_ipc", "control")
        yield Finding(
            there, "missing", f"a control plane ({{}} takes its defaults), {reason}", "nothing"
        )
    if is_left_out(platform.get("process_groups")):
        there = (*path, "process_groups")
        yield Finding(there, "missing", f"at least one process group, {reason}", "none")
