"""A process that the application's code forks, wherever: none of it goes on in the run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

PROGRAM = Path(__file__).parent / "support" / "kernel_forking.py"
WHOLE = [
    *("written 1", "written 2", "written 3", "source closed", "committed"),
    *("sink closed", "service closed"),
]


class Ran(NamedTuple):
    """What all its processes have said; records out, dead letters, and the children's codes."""

    said: list[str]
    report: list[Any]
    stderr: str


def ran(folder: Path, place: str, how: str, policy: str = "fail") -> Ran:
    """The application, run whole."""
    words = [sys.executable, str(PROGRAM), place, how, policy]
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    *said, report = done.stdout.splitlines()
    return Ran(said, json.loads(report), done.stderr)


@pytest.mark.parametrize(
    ("place", "how", "code"),
    [
        ("node", "exit", 7),
        ("node", "fail", 1),
        ("node", "give", 1),
        ("coroutine", "exit", 7),
        ("coroutine", "give", 1),
        ("read", "exit", 7),
        ("read", "give", 1),
        ("write", "give", 1),
        ("commit", "fail", 1),
    ],
)
def test_a_forked_process_that_comes_back_ends_there_and_nothing_of_the_run_with_it(
    tmp_path: Path, place: str, how: str, code: int
) -> None:
    run = ran(tmp_path, place, how)
    assert (run.said, run.report) == (WHOLE, [3, 0, [code]])


def test_one_that_calls_sys_exit_ends_without_a_word(tmp_path: Path) -> None:
    assert ran(tmp_path, "node", "exit").stderr == ""


def test_one_that_returns_says_what_to_do(tmp_path: Path) -> None:
    assert "returned into the run of its parent" in (said := ran(tmp_path, "node", "give").stderr)
    assert "os._exit()" in said


def test_one_that_raises_shows_where(tmp_path: Path) -> None:
    said = ran(tmp_path, "node", "fail").stderr
    assert "raised into the run of its parent" in said
    assert "in forks\n    CHILD[HOW]()\n" in said
    assert "ValueError: mine" in said


@pytest.mark.parametrize("how", ["fail", "exit"])
def test_it_has_no_further_attempt_and_leaves_no_letter(tmp_path: Path, how: str) -> None:
    run = ran(tmp_path, "node", how, "dead_letter")
    assert (run.said, run.report[:2], len(run.report[2])) == (WHOLE, [3, 0], 1)
    assert (tmp_path / "letters.jsonl").read_text() == ""


@pytest.mark.parametrize(("how", "code"), [("exit", 7), ("give", 1)])
def test_one_that_a_request_has_forked_answers_nothing(tmp_path: Path, how: str, code: int) -> None:
    run = ran(tmp_path, "request", how)
    assert (run.said, run.report) == (["answered C(n=40)", *WHOLE], [3, 0, [code]])


@pytest.mark.parametrize(
    "place",
    [
        "module",
        *("service", "service's check", "service's close", "coroutine close"),
        *("state", "node's own", "coroutine close aside"),
        *("source", "source's check", "sink", "sink's close"),
    ],
)
@pytest.mark.parametrize(("how", "code"), [("exit", 7), ("give", 1)])
def test_nor_does_one_that_is_forked_while_something_is_made_checked_or_closed(
    tmp_path: Path, place: str, how: str, code: int
) -> None:
    run = ran(tmp_path, place, how)
    assert (run.said, run.report) == (WHOLE, [3, 0, [code]])


def test_nor_does_one_that_a_choice_of_states_has_forked(tmp_path: Path) -> None:
    run = ran(tmp_path, "node's states", "exit")
    assert (run.said, run.report[:2], set(run.report[2])) == (WHOLE, [3, 0], {7})


@pytest.mark.parametrize("place", ["node", "read"])
def test_processes_of_multiprocessing_end_as_anywhere(tmp_path: Path, place: str) -> None:
    run = ran(tmp_path, place, "multiprocessing")
    assert (run.said, run.report, run.stderr) == (WHOLE, [3, 0, [7]], "")
