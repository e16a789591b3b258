"""The configuration of the pass-through chain: the same ten nodes, divided among groups."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from growth_chain import NODES


def chain_config(groups: int, records: int, payload_bytes: int, output: str) -> dict[str, Any]:
    """Give the configuration; without groups everything runs in one process, in memory."""
    platform: dict[str, Any] = {}
    if groups:
        platform = {
            "bootstrap": {"mode": "process_supervisor"},
            "execution_ipc": {"transport": "tcp_local", "control": {}},
            "process_groups": [
                {"name": f"group{number}", "nodes": nodes}
                for number, nodes in enumerate(divided(groups), 1)
            ],
        }
    load = {"records": records, "payload_bytes": payload_bytes}
    return {
        "version": 1,
        "scenario": "pass_through",
        "runtime": {"discovery_modules": ["growth_chain"], "platform": platform},
        "adapters": {
            "source": {"name": "blocks", "settings": load},
            "sink": {"name": "counted", "settings": {"path": output}},
        },
    }


def divided(groups: int) -> list[list[str]]:
    """Give each group's nodes, in order: shares that differ by one at most, the ends besides.

    :raises ValueError: for more groups than nodes, or none.
    """
    if not 1 <= groups <= NODES:
        raise ValueError(f"{NODES} nodes cannot be divided among {groups} groups")
    borders = [number * NODES // groups for number in range(groups + 1)]
    shares = [[f"step{number + 1}" for number in range(*pair)] for pair in pairwise(borders)]
    shares[0].insert(0, "source:source")
    shares[-1].append("sink:sink")
    return shares
