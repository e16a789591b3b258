"""Lifecycle events of real processes: what is exported, and what ``sk events`` shows."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from supervisor_harness import GROUPS, Ears
from supervisor_runs import Runs, exporting, lines_of

CHECKPOINTS = {
    *(f"worker_{step}" for step in ("spawned", "bootstrap_loaded", "ready", "running")),
    *(f"worker_{step}" for step in ("stopping", "stopped", "failed")),
    *(f"supervisor_{step}" for step in ("start_groups", "wait_ready", "start_workload")),
    *(f"supervisor_{step}" for step in ("graceful_stop", "force_stop")),
}


@pytest.mark.contract("P5PRE-SUP-06", "P5PRE-LOG-01")
def test_every_checkpoint_goes_to_the_exporter_with_number_time_run_group_and_worker(
    runs: Runs, ears: Ears, tmp_path: Path
) -> None:
    """One run is stopped by force, in the other a worker is killed; together they pass them all."""
    forced, broken = tmp_path / "forced.jsonl", tmp_path / "broken.jsonl"
    work = {"at": 5, "do": "hold", "ears": ears.port}
    flow = {"groups": GROUPS, "work": work, "source": {"endless": True}}
    run = runs.start(run_id="forced", **flow, observability=exporting(forced))
    ears.hear("here")
    assert runs.ask("stop", "--force")[0] == 0
    assert run.command.finish()[0] == 5
    run = runs.start(run_id="broken", **flow, observability=exporting(broken))
    os.kill(ears.hear("here").pid, signal.SIGKILL)
    assert run.command.finish()[0] == 4
    events = [*lines_of(forced), *lines_of(broken)]
    assert {event["event"] for event in events} >= CHECKPOINTS
    for path in (forced, broken):
        lines = lines_of(path)
        assert [e["sequence"] for e in lines] == list(range(1, len(lines) + 1))
        assert {e["correlation_id"] for e in lines} == {path.stem}
        assert [e["time"] for e in lines] == sorted(e["time"] for e in lines)
    names = {group["name"] for group in GROUPS}
    for event in events:
        if event["event"].startswith("worker_"):
            assert event["group"] in names
            assert event["worker"].startswith(f"{event['group']}-0.")


@pytest.mark.contract("P5PRE-LOG-02")
@pytest.mark.parametrize(
    ("mode", "lifecycle", "levels"),
    [
        ("inline", {"level": "debug"}, {"info", "debug"}),
        ("inline", {"level": "info"}, {"info"}),
        ("inline", {"enabled": False, "level": "debug"}, set()),
        ("process_supervisor", {"level": "info"}, {"info"}),
    ],
)
def test_the_level_of_the_configuration_says_what_is_exported_and_held(
    runs: Runs, tmp_path: Path, mode: str, lifecycle: dict[str, Any], levels: set[str]
) -> None:
    log = tmp_path / "events.jsonl"
    run = runs.waiting(mode, observability=exporting(log, **lifecycle))
    held = runs.ask("events")[1].splitlines()
    assert {line.split()[1] for line in held} == levels
    assert all(line.endswith("correlation_id=r1") for line in held)
    assert runs.ask("stop")[0] == 0
    run.command.finish()
    assert {event["level"] for event in lines_of(log)} == levels


def test_only_the_events_behind_a_number_are_told_where_one_is_given(runs: Runs) -> None:
    runs.waiting("inline")
    held = runs.ask("events")[1].splitlines()
    assert len(held) > 2
    assert runs.ask("events", "--after", "2")[1].splitlines() == held[2:]
