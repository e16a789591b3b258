"""Failure policies over processes: what is written down is the same, whatever ran it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from letters_config import MODES, POLICIES, letters_config
from sk_kernel.runtime import TraceIds
from supervisor_harness import ONE_GROUP, Command, Ears, settings, written

Sk = Callable[..., Command]
Ask = Callable[..., tuple[int, str, str]]


#: What is given up under `POLICIES` of the records that `BAD` names, and in which group.
GIVEN_UP = [
    (7, "weigh", "in"),
    (8, "count", "count"),
    (14, "weigh", "in"),
    (21, "split", "split/it"),
    (33, "count", "count"),
    (40, "render", "out"),
    (40, "render", "out"),
    (50, "split", "split/it"),
    (200, "count", "count"),
    (399, "weigh", "in"),
]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a run in memory and one over four processes have left what they wrote.

    Their spans go to ``<mode>.spans``, and no record is sampled.
    """
    folder = tmp_path_factory.mktemp("both")
    for mode in MODES:
        configuration = letters_config(folder, mode)
        jsonl = {"kind": "jsonl", "settings": {"path": str(folder / f"{mode}.spans")}}
        tracing = {"sampling_ratio": 0, "exporters": [jsonl]}
        configuration["runtime"]["observability"] = {"tracing": tracing}
        command = Command(["run", written(folder, configuration), "--run-id", "r1"])
        try:
            code, _, err = command.finish()
        finally:
            command.end()
        assert code == 0, err
        assert "  given up: dead-lettered 8, skipped 2" in err.splitlines()
    return folder


def test_four_processes_write_the_letters_of_memory_byte_for_byte(both: Path) -> None:
    found = {
        mode: [(both / f"{mode}.{kind}").read_bytes() for kind in ("out", "dead")] for mode in MODES
    }
    assert found["inline"] == found["process_supervisor"]
    letters = [json.loads(line) for line in found["inline"][1].splitlines()]
    assert [(x["sequence"], x["node"], x["attempts"]) for x in letters] == [
        (sequence, node, 3 if node == "weigh" else 1)
        for sequence, node, _ in GIVEN_UP
        if node != "split"
    ]
    assert b"secret" not in found["inline"][1]
    assert not [path for path in both.iterdir() if path.name.endswith(".parts")]


def test_what_fails_unsampled_over_processes_has_its_one_span_at_its_node_and_in_its_group(
    both: Path,
) -> None:
    """Attempts count as one. Nobody else tells of these records, on no side of a border."""
    told = {
        mode: [json.loads(line) for line in (both / f"{mode}.spans").read_text().splitlines()]
        for mode in MODES
    }
    spans = sorted(told["process_supervisor"], key=lambda span: span["sequence"])
    assert [(s["sequence"], s["name"], s["process_group"]) for s in spans] == GIVEN_UP
    for span in spans:
        assert span["worker"] == f"{span['process_group']}-0.1"
        assert (span["parent_id"], span["error"]) == (None, "ValueError")
        assert span["trace_id"] == TraceIds("r1").of(span["sequence"])
        assert span["start_ns"] == span["end_ns"]
    assert len({span["span_id"] for span in spans}) == len(GIVEN_UP)
    assert {s["span_id"] for s in spans} == {s["span_id"] for s in told["inline"]}


def with_a_lost_worker(folder: Path, ears: Ears, sk: Sk, policies: Any, bad: Any) -> str:
    """What a run says that completes, though the worker that ``bad`` holds up is killed."""
    restart = {"policy": "on_failure", "backoff_seconds": 0.01}
    configuration = letters_config(
        folder, "process_supervisor", policies=policies, bad=bad, restart=restart
    )
    command = sk("run", configuration, "--run-id", "r1")
    os.kill(ears.hear("here").pid, signal.SIGKILL)
    ears.hear("here").let_go()
    code, _, err = command.finish()
    assert code == 0, err
    return err


def test_a_worker_that_follows_another_leaves_no_letter_twice(
    tmp_path: Path, ears: Ears, ask: Ask, sk: Sk
) -> None:
    policies = {"default": {"policy": "dead_letter"}}
    bad: dict[str, Any] = {"split": {"on": [5, *range(170, 231)]}, "count": {"on": [150, 240]}}
    inline = letters_config(tmp_path, policies=policies, bad=bad)
    assert ask("run", inline, "--run-id", "r1")[0] == 0
    bad["split"] |= {"hold": 201, "ears": ears.port}
    err = with_a_lost_worker(tmp_path, ears, sk, policies, bad)
    assert "dead-lettered 64, skipped 0" in err
    for kind in ("out", "dead"):
        written = [(tmp_path / f"{mode}.{kind}").read_bytes() for mode in MODES]
        assert written[0] == written[1]


def test_what_a_lost_worker_has_skipped_of_batches_that_went_on_is_counted(
    tmp_path: Path, ears: Ears, sk: Sk
) -> None:
    """Those batches are done with when it is lost, and it has had no time to tell of them."""
    policies = {"default": {"policy": "dead_letter"}, "nodes": {"split": {"policy": "skip"}}}
    bad = {"split": {"on": [*range(5, 96)], "hold": 201, "ears": ears.port}}
    err = with_a_lost_worker(tmp_path, ears, sk, policies, bad)
    assert "  given up: dead-lettered 0, skipped 91" in err.splitlines()


def test_policy_fail_over_processes_ends_with_4_and_names_the_parts(
    tmp_path: Path, ask: Ask
) -> None:
    policies = {**POLICIES, "nodes": {**POLICIES["nodes"], "render": {"policy": "fail"}}}
    configuration = letters_config(tmp_path, "process_supervisor", policies=policies)
    target = tmp_path / "process_supervisor.dead"
    target.write_text("old")
    code, _, err = ask("run", configuration)
    assert code == 4
    assert "node 'render' raised ValueError on record 40" in err
    assert target.read_text() == "old"
    (parts,) = tmp_path.glob("*.parts")
    assert f"  partial output: {parts}" in err.splitlines()
    assert any(part.name.startswith("in-0.1.") for part in parts.iterdir())


def held(folder: Path, mode: str, ears: Ears, sk: Sk) -> tuple[Command, Path]:
    """A run that waits behind its first dead letter, and the folder that this is in."""
    bad = {"weigh": {"on": [7], "hold": 40, "ears": ears.port}}
    command = sk("run", letters_config(folder, mode, bad=bad, count=50))
    ears.hear("here")
    (parts,) = folder.glob("*.parts")
    return command, parts


def committed_at(parts: Path) -> str:
    """How the error of a run ends whose output is committed and whose letters are left."""
    return f"; the output is committed all the same, and the dead letters are in {parts}"


@pytest.mark.parametrize("mode", MODES)
def test_letters_that_cannot_be_merged_are_told_with_what_has_become_of_the_output(
    tmp_path: Path, ears: Ears, sk: Sk, mode: str
) -> None:
    """In memory they are merged before the sink commits, over processes behind that."""
    command, parts = held(tmp_path, mode, ears, sk)
    (parts / "merged").mkdir()
    ears.close()
    code, _, err = command.finish()
    (error,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert (code, f"dead letters: cannot merge {parts}: " in error) == (4, True)
    commits = mode == "process_supervisor"
    assert (tmp_path / f"{mode}.out").exists() == commits
    assert error.endswith(committed_at(parts)) == commits
    assert f"  partial output: {parts}" in err.splitlines()


@pytest.mark.parametrize("mode", MODES)
def test_letters_that_cannot_take_their_place_are_told_with_the_output_committed(
    tmp_path: Path, ears: Ears, sk: Sk, mode: str
) -> None:
    command, parts = held(tmp_path, mode, ears, sk)
    target = tmp_path / f"{mode}.dead"
    os.mkfifo(target)
    ears.close()
    code, _, err = command.finish()
    assert code == 4
    assert (tmp_path / f"{mode}.out").exists()
    problem = f"dead letters: cannot replace {target}: it is no regular file"
    assert f"error: {problem}{committed_at(parts)}" in err.splitlines()
    assert f"  partial output: {parts}" in err.splitlines()


def test_a_run_over_processes_that_was_stopped_and_drained_has_its_letters_in_the_file(
    tmp_path: Path, target: Path, ears: Ears, sk: Sk
) -> None:
    source = {"count": 9, "then": "wait", "ears": ears.port}
    configuration = settings(target, groups=ONE_GROUP, source=source, work={"at": 5, "do": "raise"})
    dead = tmp_path / "dead"
    configuration["runtime"]["failure"] = {
        "nodes": {"work": {"policy": "dead_letter"}},
        "dead_letter": {"path": str(dead)},
    }
    command = sk("run", configuration)
    ears.hear("open")
    ears.hear("waiting")
    command.signal(signal.SIGTERM)
    code, _, err = command.finish()
    assert (code, "dead-lettered 1" in err) == (143, True)
    assert [json.loads(line)["sequence"] for line in dead.read_text().splitlines()] == [5]
    assert not list(tmp_path.glob("*.parts"))


def test_a_killed_worker_leaves_the_old_letters_alone(
    tmp_path: Path, target: Path, ears: Ears, sk: Sk
) -> None:
    work = {"at": 5, "do": "hold", "ears": ears.port}
    configuration = settings(target, groups=ONE_GROUP, work=work)
    dead = tmp_path / "dead"
    dead.write_text("old")
    configuration["runtime"]["failure"] = {
        "nodes": {"work": {"policy": "dead_letter"}},
        "dead_letter": {"path": str(dead)},
    }
    command = sk("run", configuration)
    os.kill(ears.hear("here").pid, signal.SIGKILL)
    code, _, _ = command.finish()
    assert code == 4
    assert dead.read_text() == "old"
    assert not list(tmp_path.glob("*.parts"))


@pytest.mark.parametrize("mode", MODES)
def test_a_second_attempt_at_a_state_is_refused(tmp_path: Path, ask: Ask, mode: str) -> None:
    configuration = letters_config(tmp_path, mode, count=1)
    configuration["runtime"]["failure"]["nodes"]["count"] = {"policy": "skip", "attempts": 2}
    code, _, err = ask("run", configuration)
    assert code == 2
    assert "runtime.failure.nodes.count.attempts: retry: expected 1: count has a state" in err


@pytest.mark.parametrize("mode", MODES)
def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path, ask: Ask, mode: str) -> None:
    configuration = letters_config(tmp_path, mode, count=1)
    configuration["runtime"]["failure"]["dead_letter"]["path"] = str(tmp_path / "none" / "dead")
    code, _, err = ask("run", configuration)
    assert code == 2
    assert (
        "runtime.failure.dead_letter.path: bad_value: expected a file in a folder that exists"
        in err
    )
