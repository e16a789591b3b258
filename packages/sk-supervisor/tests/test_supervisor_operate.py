"""``sk status`` and ``sk stop`` on runs of real processes."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from sk_kernel import STATUS_VERSION
from supervisor_harness import GROUPS, Command, Ears, expected, freeze, gone, settings
from supervisor_runs import MODES, Runs


@pytest.mark.contract("P5PRE-SUP-07")
def test_the_status_as_json_tells_each_worker_process_as_the_system_does(runs: Runs) -> None:
    run = runs.waiting(groups=GROUPS)
    code, out, err = runs.ask("status", "--json")
    assert (code, err) == (0, "")
    said = json.loads(out)
    assert said["version"] == STATUS_VERSION
    facts = {k: said[k] for k in ("run_id", "scenario", "profile", "state", "ready")}
    assert facts == {
        "run_id": "r1",
        "scenario": "supervised",
        "profile": "process_supervisor",
        "state": "running",
        "ready": True,
    }
    assert [group["name"] for group in said["groups"]] == ["in", "mid", "out"]
    workers = [worker for group in said["groups"] for worker in group["workers"]]
    assert {w["os_pid"] for w in workers} == {p.pid for p in run.command.workers()}
    for worker in workers:
        assert worker["alive"]
        assert worker["state"] == "running"
        assert 0 < worker["age_seconds"] < said["age_seconds"]
        resident = psutil.Process(worker["os_pid"]).memory_info().rss
        assert resident / 2 < worker["rss_bytes"] < resident * 2


@MODES
def test_the_status_is_a_table_of_the_workers(runs: Runs, mode: str) -> None:
    run = runs.waiting(mode, groups=GROUPS)
    code, out, _ = runs.ask("status")
    assert code == 0
    first, second, header, *rows = out.split("\n\n")[0].splitlines()
    profile = "memory" if mode == "inline" else mode
    assert first.rstrip() == f"run r1: supervised ({profile})"
    assert second.startswith("running, ready  ")
    columns = "worker pid state in out busy queue idle age rss restarts"
    assert header.split() == columns.split()
    if mode == "inline":
        assert [row.split()[:3] for row in rows] == [
            ["memory-0.1", str(run.command.process.pid), "running"]
        ]
    else:
        assert [row.split()[0] for row in rows] == ["in-0.1", "mid-0.1", "out-0.1"]


def test_a_run_that_starts_can_be_looked_at_and_stopped(
    runs: Runs, ears: Ears, target: Path, sk: Callable[..., Command]
) -> None:
    configuration = settings(target, modules=("fragile_app", "supervised_app"))
    environment = {"SK_TEST_IMPORT": f"hang:{ears.port}", "SK_RUN_DIR": str(runs.folder)}
    command = sk("run", configuration, environment=environment)
    pids = [ears.hear("importing").pid for _ in GROUPS]
    said = json.loads(runs.ask("status", "--json")[1])
    assert (said["state"], said["ready"]) == ("starting", False)
    assert runs.ask("stop")[0] == 0
    code, _, err = command.finish()
    assert (code, err.splitlines()[-1]) == (143, "stopped while starting: sk stop")
    assert gone(pids, within=0)


@MODES
@pytest.mark.contract("STOP-IPC-01")
def test_a_stop_drains_the_run_and_waits_for_its_end(runs: Runs, mode: str) -> None:
    run = runs.waiting(mode)
    assert runs.ask("stop") == (0, "run r1 has ended with exit code 143\n", "")
    code, _, err = run.command.finish()
    assert code == 143
    assert "stopped: supervised" in err
    partial = run.target.with_suffix(".partial")
    assert partial.read_text().splitlines() == [*expected(20), "aborted"]
    assert run.target.read_text() == "old\n"
    assert run.files() == []


@MODES
def test_asking_again_is_no_force(runs: Runs, ears: Ears, mode: str) -> None:
    """Nor is it behind a signal."""
    work = {"at": 5, "do": "hold", "ears": ears.port}
    run = runs.start(mode, source={"endless": True}, work=work)
    held = ears.hear("here")
    run.command.signal(signal.SIGTERM)
    while not json.loads(runs.ask("status", "--json")[1])["stop_reasons"]:
        pass
    for _ in range(2):
        assert runs.ask("stop", "--no-wait") == (0, "run r1 is stopping\n", "")
    code, _, err = runs.ask("stop", "--timeout", "0.2")
    assert (code, err.count("still stopping (--force ends it)")) == (5, 1)
    said = json.loads(runs.ask("status", "r1", "--json")[1])
    assert (said["stop_reasons"], said["stop_forced"]) == (["SIGTERM"], False)
    held.let_go()
    assert run.command.finish()[0] == 143


@MODES
@pytest.mark.parametrize("first", [(), ("stop", "--no-wait")])
def test_force_ends_it_at_once_whether_or_not_it_was_asked_before(
    runs: Runs, ears: Ears, mode: str, first: tuple[str, ...]
) -> None:
    run = runs.start(
        mode, work={"at": 5, "do": "hold", "ears": ears.port}, source={"endless": True}
    )
    ears.hear("here")
    pids = [p.pid for p in run.command.workers()]
    if first:
        assert runs.ask(*first)[0] == 0
    assert runs.ask("stop", "--force") == (0, "run r1 has ended with exit code 5\n", "")
    code, _, err = run.command.finish()
    assert code == 5
    assert "stopped at once, by force" in err
    assert "Traceback" not in err
    assert gone(pids, within=0)
    assert (run.target.read_text(), run.files()) == ("old\n", [])


def test_a_stop_that_waits_for_a_run_that_is_killed_says_that_it_has_ended(
    runs: Runs, ears: Ears
) -> None:
    run = runs.start(work={"at": 5, "do": "hold", "ears": ears.port}, source={"endless": True})
    ears.hear("here")
    stop = Command(["stop"], environment={"SK_RUN_DIR": str(runs.folder)})
    try:
        while "stop_requested" not in runs.ask("events")[1]:
            pass
        run.command.process.kill()
        assert stop.finish() == (0, "run r1 has ended\n", "")
    finally:
        stop.end()


def test_several_runs_are_listed_and_one_must_be_named_to_be_stopped(runs: Runs) -> None:
    both = [runs.waiting("inline", run_id=name) for name in ("first", "second")]
    pids = [str(run.command.process.pid) for run in both]
    code, out, _ = runs.ask("status")
    assert code == 0
    header, *rows = out.splitlines()
    assert header.split() == ["run", "pid", "scenario", "state", "workers"]
    assert [row.split() for row in rows] == [
        ["first", pids[0], "supervised", "running", "1"],
        ["second", pids[1], "supervised", "running", "1"],
    ]
    listed = json.loads(runs.ask("status", "--all", "--json")[1])
    assert [(run["run_id"], run["status"]["state"]) for run in listed] == [
        ("first", "running"),
        ("second", "running"),
    ]
    several = f"error: several runs, name one: first (pid {pids[0]}), second (pid {pids[1]})\n"
    assert runs.ask("stop") == runs.ask("status", "--json") == runs.ask("top") == (1, "", several)
    assert runs.ask("stop", "fir")[0] == 0
    assert runs.ask("stop", pids[1])[0] == 0
    assert [run.command.finish()[0] for run in both] == [143, 143]


def test_a_run_that_is_suspended_is_listed_as_such(runs: Runs) -> None:
    run = runs.waiting("inline")
    freeze(run.command.process.pid)
    try:
        code, out, _ = runs.ask("status", "--all")
        assert (code, "no answer" in out) == (0, True)
        code, _, err = runs.ask("stop", "--timeout", "0.3")
        assert (code, "has not answered within 0.3 s" in err) == (5, True)
    finally:
        run.command.signal(signal.SIGCONT)
    # The stop was in its backlog.
    assert run.command.finish()[0] == 143
