"""Dead letters where a worker was replaced, and its successor has given up what it had not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Ask = Callable[..., tuple[int, str, str]]


def replaced(
    folder: Path,
    app: str,
    groups: dict[str, list[str]],
    *,
    batch: int,
    **settings: Any,
) -> dict[str, Any]:
    """An application in which ``look_up`` gives records up, and ``work`` may be restarted."""
    again = {"restart": {"policy": "on_failure", "backoff_seconds": 0.0}}
    own = {"folder": str(folder), **settings}
    return {
        "version": 1,
        "scenario": "outage",
        "runtime": {
            "discovery_modules": [app],
            "failure": {
                "nodes": {"look_up": {"policy": "dead_letter"}},
                "dead_letter": {"path": str(folder / "dead.jsonl")},
            },
            "platform": {
                "batch": {"max_records": batch},
                "bootstrap": {"mode": "process_supervisor"},
                "execution_ipc": {"transport": "tcp_local", "control": {}},
                "process_groups": [
                    {"name": name, "nodes": nodes, **(again if name == "work" else {})}
                    for name, nodes in groups.items()
                ],
            },
        },
        "nodes": {"look_up": own, **({"tell": own} if app == "twice_app" else {})},
        "adapters": {
            "source": {"name": "questions"},
            "sink": {"name": "answers", "settings": own},
        },
    }


def pipes(folder: Path, *names: str) -> None:
    for name in names:
        os.mkfifo(folder / name)


def ended(folder: Path) -> tuple[list[int], list[int]]:
    """What is in the output, and the records of the letters; no part of them is left."""
    written = list(map(int, (folder / "out").read_text().split()))
    letters = (folder / "dead.jsonl").read_text().splitlines()
    assert not list(folder.glob("*.parts"))
    return written, [json.loads(line)["sequence"] for line in letters]


LINE = {"in": ["source:source"], "work": ["look_up"], "out": ["sink:sink"]}
TWICE = {
    "in": ["source:source"],
    "work": ["look_up", "tell"],
    "middle": ["see"],
    "out": ["sink:sink"],
}
AT_THE_END = {"in": ["source:source", "sum"], "work": ["look_up"], "out": ["sink:sink"]}


def test_each_record_is_in_the_output_or_in_the_letters_whoever_has_given_it_up(
    ask: Ask, tmp_path: Path
) -> None:
    pipes(tmp_path, "first", "second")
    code, _, err = ask("run", replaced(tmp_path, "outage_app", LINE, batch=1))
    assert code == 0, err
    written, lost = ended(tmp_path)
    assert sorted(written + lost) == list(range(1, 13))
    assert 1 in written  # the sink had it before the worker was gone
    assert 8 in lost
    assert f"given up: dead-lettered {len(lost)}, skipped 0" in err


@pytest.mark.parametrize(("gives_up", "lost"), [("first", [4]), ("second", [])])
def test_what_is_given_up_in_a_segment_is_its_worker_s_that_has_passed_the_batch_on_from_there(
    ask: Ask, tmp_path: Path, gives_up: str, lost: list[int]
) -> None:
    """The worker dies in a later segment of its group, in the same batch."""
    pipes(tmp_path, "again")
    told = replaced(tmp_path, "twice_app", TWICE, batch=2, gives_up=gives_up)
    code, _, err = ask("run", told)
    assert code == 0, err
    assert ended(tmp_path) == ([n for n in range(1, 7) if n not in lost], lost)


def test_what_a_finish_has_made_is_given_up_by_who_has_passed_the_end_of_input_on(
    ask: Ask, tmp_path: Path
) -> None:
    pipes(tmp_path, "die", "born")
    code, _, err = ask("run", replaced(tmp_path, "finish_letters_app", AT_THE_END, batch=1))
    assert code == 0, err
    assert ended(tmp_path) == ([1, 2, 3, 101, 102], [4])


def test_a_successor_that_gives_up_what_is_in_place_already_has_no_fault_of_that(
    ask: Ask, tmp_path: Path
) -> None:
    """It does so while the run ends: the sink is closed by then."""
    pipes(tmp_path, "die", "born", "late")
    told = replaced(tmp_path, "finish_letters_app", AT_THE_END, batch=1, late=True)
    code, _, err = ask("run", told)
    assert code == 0, err
    assert "DeadLetterError" not in err
    assert ended(tmp_path) == ([1, 2, 3, 101, 102], [4])
