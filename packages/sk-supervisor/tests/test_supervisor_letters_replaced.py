"""Dead letters where a worker was replaced, and its successor has given up what it had not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

Ask = Callable[..., tuple[int, str, str]]


def outage(folder: Path) -> dict[str, Any]:
    """Twelve records, one a batch, and a look-up whose service goes down."""
    return {
        "version": 1,
        "scenario": "outage",
        "runtime": {
            "discovery_modules": ["outage_app"],
            "failure": {
                "nodes": {"look_up": {"policy": "dead_letter"}},
                "dead_letter": {"path": str(folder / "dead.jsonl")},
            },
            "platform": {
                "batch": {"max_records": 1},
                "bootstrap": {"mode": "process_supervisor"},
                "execution_ipc": {"transport": "tcp_local", "control": {}},
                "process_groups": [
                    {"name": "in", "nodes": ["source:source"]},
                    {
                        "name": "work",
                        "nodes": ["look_up"],
                        "restart": {"policy": "on_failure", "backoff_seconds": 0.0},
                    },
                    {"name": "out", "nodes": ["sink:sink"]},
                ],
            },
        },
        "nodes": {"look_up": {"folder": str(folder)}},
        "adapters": {
            "source": {"name": "questions"},
            "sink": {"name": "answers", "settings": {"folder": str(folder)}},
        },
    }


def test_each_record_is_in_the_output_or_in_the_letters_whoever_has_given_it_up(
    ask: Ask, tmp_path: Path
) -> None:
    for pipe in ("first", "second"):
        os.mkfifo(tmp_path / pipe)
    code, _, err = ask("run", outage(tmp_path))
    assert code == 0, err
    written = list(map(int, (tmp_path / "out").read_text().split()))
    letters = (tmp_path / "dead.jsonl").read_text().splitlines()
    lost = [json.loads(line)["sequence"] for line in letters]
    assert sorted(written + lost) == list(range(1, 13))
    assert 1 in written  # the sink had it before the worker was gone
    assert 8 in lost
    assert f"given up: dead-lettered {len(lost)}, skipped 0" in err
