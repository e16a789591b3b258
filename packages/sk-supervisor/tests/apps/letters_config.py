"""Configurations of the letters application."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GROUPS = (
    {"name": "in", "nodes": ["source:source", "weigh"]},
    {"name": "split/it", "nodes": ["split"], "runner_profile": "async"},
    {"name": "count", "nodes": ["count"]},
    {"name": "out", "nodes": ["render", "sink:sink"]},
)
POLICIES: dict[str, Any] = {
    "default": {"policy": "dead_letter"},
    "nodes": {
        "weigh": {"policy": "dead_letter", "attempts": 3},
        "split": {"policy": "skip", "attempts": 2},
    },
}
BAD = {
    "weigh": {"on": [7, 14, 399]},
    "split": {"on": [21, 50]},
    "count": {"on": [8, 33, 200]},
    "render": {"on": [40]},
}
MODES = ("inline", "process_supervisor")


def letters_config(
    folder: Path,
    mode: str = "inline",
    *,
    policies: Mapping[str, Any] = POLICIES,
    bad: Mapping[str, Any] = BAD,
    count: int = 400,
    restart: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """It reads ``in.txt`` in ``folder`` and writes ``<mode>.out`` and ``<mode>.dead`` there.

    ``restart`` is for the group of ``split``, which keeps no state.
    """
    groups: list[dict[str, Any]] = [dict(group) for group in GROUPS]
    if restart:
        groups[1]["restart"] = dict(restart)
    source = folder / "in.txt"
    source.write_text("".join(f"{n}\n" for n in range(1, count + 1)))
    dead_letter = {"path": str(folder / f"{mode}.dead")}
    return {
        "version": 1,
        "scenario": "letters",
        "runtime": {
            "discovery_modules": ["letters_app"],
            "platform": {
                "bootstrap": {"mode": mode},
                "execution_ipc": {"transport": "tcp_local", "control": {}},
                "process_groups": groups,
                "batch": {"max_records": 23, "in_flight": 3},
            },
            "failure": {**copy.deepcopy(dict(policies)), "dead_letter": dead_letter},
        },
        "nodes": dict(bad),
        "adapters": {
            "source": {"name": "figures", "settings": {"path": str(source)}},
            "sink": {"name": "rows", "settings": {"path": str(folder / f"{mode}.out")}},
        },
    }
