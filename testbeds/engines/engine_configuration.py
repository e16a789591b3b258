"""The application on an engine: its configuration, where its nodes are, what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from contract_engines import Engine, Part
from engines_app import MODULE

RUN_ID: Final = "r1"
COUNT: Final = 500
HARMED: Final = 250
PATIENCE: Final = 60.0
PARTS: Final = (
    Part("in", ("source:source",)),
    Part("work", ("weigh",), shared=True),
    Part("tally", ("tally", "spell"), shared=True),
    Part("out", ("sink:sink",)),
)
OLD: Final = "old\n"
OUTPUT: Final = "out.txt"
REQUESTS: Final = {"source": {"name": "requests"}, "sink": {"name": "replies"}}


def expected(count: int) -> list[str]:
    """The lines that so many numbers come out as, in their order."""
    return [f"{n} {n // 100 + (n % 100 > 0)} {RUN_ID}" for n in range(1, count + 1)]


def configuration(
    engine: Engine,
    folder: Path,
    *,
    count: int = COUNT,
    first_read: str = "",
    group: Mapping[str, Any] | None = None,
    working: Mapping[str, Any] | None = None,
    weigh: Mapping[str, Any] | None = None,
    path: str | None = None,
    events: Mapping[str, Any] | None = None,
    sampling: float = 1.0,
    adapters: Mapping[str, Any] | None = None,
    beside: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> dict[str, Any]:
    """The application on an engine: its output, spans and events go to ``folder``.

    :param group: settings of every group.
    :param working: settings of the group that ``weigh`` is in.
    :param beside: more exporters of ``spans`` and of ``events``.
    """
    exporters = {
        kind: [
            {"kind": "jsonl", "settings": {"path": str(folder / f"{kind}.jsonl")}},
            *(beside or {}).get(kind, ()),
        ]
        for kind in ("spans", "events")
    }
    blocks: dict[str, Any] = {
        "bootstrap": {"mode": engine.mode},
        "process_groups": [
            {**each, **(group or {}), **((working or {}) if "weigh" in each["nodes"] else {})}
            for each in engine.groups(PARTS)
        ],
        "batch": {"max_records": 20},
    }
    if engine.in_processes:
        blocks["execution_ipc"] = {"transport": "tcp_local", "control": {"transport": "tcp_local"}}
    return {
        "version": 1,
        "scenario": "engines",
        "runtime": {
            "discovery_modules": [MODULE],
            "platform": blocks,
            "observability": {
                "tracing": {"exporters": exporters["spans"], "sampling_ratio": sampling},
                "logging": {
                    "exporters": exporters["events"],
                    "lifecycle_events": events or {"level": "debug"},
                },
            },
        },
        "nodes": {"weigh": dict(weigh)} if weigh else {},
        "adapters": adapters
        or {
            "source": {"name": "numbers", "settings": {"count": count, "first_read": first_read}},
            "sink": {"name": "lines", "settings": {"path": path or str(folder / OUTPUT)}},
        },
    }


def places(engine: Engine) -> dict[str, str]:
    """The group of each node; in memory they have one too."""
    groups = engine.groups(PARTS) or [
        {"name": "memory", "nodes": [node for part in PARTS for node in part.nodes]}
    ]
    return {node: group["name"] for group in groups for node in group["nodes"]}
