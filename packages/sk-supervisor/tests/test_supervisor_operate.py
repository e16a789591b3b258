"""``sk status``, ``top``, ``stop`` and ``events`` on runs of real processes."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from sk_kernel import STATUS_VERSION
from supervisor_harness import (
    GROUPS,
    ONE_GROUP,
    PATIENCE,
    Command,
    Ears,
    expected,
    freeze,
    gone,
    settings,
)

Sk = Callable[..., Command]
Ask = Callable[..., tuple[int, str, str]]
MODES = pytest.mark.parametrize("mode", ["process_supervisor", "inline"])


class Started:
    """A run in a run directory of its own, whose source waits, or whose worker is held."""

    def __init__(self, command: Command, folder: Path, target: Path) -> None:
        self.command, self.folder, self.target = command, folder, target

    def files(self) -> list[str]:
        """What is in its run directory."""
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def folder(run_dir: Path, request: pytest.FixtureRequest) -> Path:
    """A run directory that no other test sees."""
    return run_dir / f"{abs(hash(request.node.nodeid)):x}"


@pytest.fixture
def ask(ask: Ask, folder: Path) -> Ask:
    """Run a command to its end, on that run directory."""
    return partial(ask, SK_RUN_DIR=str(folder))


@pytest.fixture
def start(target: Path, ears: Ears, sk: Sk, folder: Path) -> Callable[..., Started]:
    """Start a run whose source waits; with one worker process, if no other groups are given."""

    def begin(mode: str = "process_supervisor", run_id: str = "r1", **changes: Any) -> Started:
        groups = changes.pop("groups", ONE_GROUP)
        groups = groups if mode == "process_supervisor" else ()
        source = {"count": 20, "then": "wait", "ears": ears.port}
        configuration = settings(
            target, **{"mode": mode, "groups": groups, "source": source, **changes}
        )
        environment = {"SK_RUN_DIR": str(folder)}
        command = sk("run", configuration, "--run-id", run_id, environment=environment)
        return Started(command, folder, target)

    return begin


@pytest.fixture
def waiting(start: Callable[..., Started], ears: Ears) -> Callable[..., Started]:
    """Start one, and give it once its source waits."""

    def begin(*arguments: Any, **changes: Any) -> Started:
        run = start(*arguments, **changes)
        ears.hear("open")
        ears.hear("waiting")
        return run

    return begin


@pytest.mark.contract("P5PRE-SUP-07")
def test_the_status_of_worker_processes_as_json(waiting: Callable[..., Started], ask: Ask) -> None:
    run = waiting(groups=GROUPS)
    code, out, err = ask("status", "--json")
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
def test_the_status_is_a_table_of_groups_and_workers(
    waiting: Callable[..., Started], ask: Ask, mode: str
) -> None:
    run = waiting(mode, groups=GROUPS)
    code, out, _ = ask("status")
    assert code == 0
    first, second, header, *rows = out.split("\n\n")[0].splitlines()
    profile = "memory" if mode == "inline" else mode
    assert first.rstrip() == f"run r1: supervised ({profile})"
    assert second.startswith("running, ready  ")
    columns = "group worker pid state in out idle age rss restarts"
    assert header.split() == columns.split()
    if mode == "inline":
        assert [row.split()[:4] for row in rows] == [
            ["memory", "memory-0.1", str(run.command.process.pid), "running"]
        ]
    else:
        assert [row.split()[:2] for row in rows] == [
            ["in", "in-0.1"],
            ["mid", "mid-0.1"],
            ["out", "out-0.1"],
        ]


def test_a_run_that_starts_can_be_looked_at_and_stopped(
    start: Callable[..., Started], ears: Ears, ask: Ask, target: Path, sk: Sk, folder: Path
) -> None:
    configuration = settings(target, modules=("fragile_app", "supervised_app"))
    environment = {"SK_TEST_IMPORT": f"hang:{ears.port}", "SK_RUN_DIR": str(folder)}
    command = sk("run", configuration, environment=environment)
    pids = [ears.hear("importing").pid for _ in GROUPS]
    said = json.loads(ask("status", "--json")[1])
    assert (said["state"], said["ready"]) == ("starting", False)
    assert ask("stop")[0] == 0
    code, _, err = command.finish()
    assert (code, err.splitlines()[-1]) == (143, "stopped while starting: sk stop")
    assert gone(pids, within=0)


@MODES
@pytest.mark.contract("STOP-IPC-01")
def test_a_stop_drains_the_run_and_waits_for_its_end(
    waiting: Callable[..., Started], ask: Ask, mode: str
) -> None:
    run = waiting(mode)
    assert ask("stop") == (0, "run r1 has ended with exit code 143\n", "")
    code, _, err = run.command.finish()
    assert code == 143
    assert "stopped: supervised" in err
    partial = run.target.with_suffix(".partial")
    assert partial.read_text().splitlines() == [*expected(20), "aborted"]
    assert run.target.read_text() == "old\n"
    assert run.files() == []


def test_a_run_that_completes_leaves_nothing_in_the_run_directory(
    target: Path, ask: Ask, folder: Path
) -> None:
    assert ask("run", settings(target, groups=ONE_GROUP))[0] == 0
    assert list(folder.iterdir()) == []


@MODES
def test_asking_again_is_no_force(
    start: Callable[..., Started], ears: Ears, ask: Ask, mode: str
) -> None:
    """Nor is it behind a signal."""
    run = start(mode, source={"count": 20}, work={"at": 5, "do": "hold", "ears": ears.port})
    held = ears.hear("here")
    run.command.signal(signal.SIGTERM)
    while not json.loads(ask("status", "--json")[1])["stop_reasons"]:
        pass
    for _ in range(2):
        assert ask("stop", "--no-wait") == (0, "run r1 is stopping\n", "")
    code, _, err = ask("stop", "--timeout", "0.2")
    assert (code, err.count("still stopping (--force ends it)")) == (5, 1)
    said = json.loads(ask("status", "r1", "--json")[1])
    assert (said["stop_reasons"], said["ready"]) == (["SIGTERM"], False)
    held.let_go()
    assert run.command.finish()[0] in (0, 143)  # the input may have ended before the stop


@MODES
@pytest.mark.parametrize("first", [(), ("stop", "--no-wait")])
def test_force_ends_it_at_once_whether_or_not_it_was_asked_before(
    start: Callable[..., Started], ears: Ears, ask: Ask, mode: str, first: tuple[str, ...]
) -> None:
    run = start(mode, work={"at": 5, "do": "hold", "ears": ears.port}, source={"endless": True})
    ears.hear("here")
    pids = [p.pid for p in run.command.workers()]
    if first:
        assert ask(*first)[0] == 0
    assert ask("stop", "--force") == (0, "run r1 has ended with exit code 5\n", "")
    code, _, err = run.command.finish()
    assert code == 5
    assert "stopped at once by a second request" in err
    assert "Traceback" not in err
    assert gone(pids, within=0)
    assert (run.target.read_text(), run.files()) == ("old\n", [])


def test_what_a_killed_run_left_is_swept_by_the_next_look(
    waiting: Callable[..., Started], ask: Ask
) -> None:
    run = waiting()
    pids = [p.pid for p in run.command.workers()]
    run.command.process.kill()
    run.command.process.wait()
    assert len(run.files()) == 2
    code, out, err = ask("status")
    assert (code, out) == (1, "")
    assert err.startswith("error: no run of yours is under way (looked in: ")
    assert run.files() == []
    assert gone(pids)


def test_a_stop_that_waits_for_a_run_that_is_killed_says_that_it_has_ended(
    start: Callable[..., Started], ears: Ears, ask: Ask, folder: Path
) -> None:
    run = start(work={"at": 5, "do": "hold", "ears": ears.port}, source={"endless": True})
    ears.hear("here")
    stop = Command(["stop"], environment={"SK_RUN_DIR": str(folder)})
    try:
        while "stop_requested" not in ask("events")[1]:
            pass
        run.command.process.kill()
        assert stop.finish() == (0, "run r1 has ended\n", "")
    finally:
        stop.end()


def test_several_runs_are_listed_and_one_must_be_named_to_be_stopped(
    waiting: Callable[..., Started], ask: Ask
) -> None:
    runs = [waiting("inline", run_id=name) for name in ("first", "second")]
    pids = [str(run.command.process.pid) for run in runs]
    code, out, _ = ask("status")
    assert code == 0
    header, *rows = out.splitlines()
    assert header.split() == ["run", "pid", "scenario", "state", "workers"]
    assert [row.split() for row in rows] == [
        ["first", pids[0], "supervised", "running", "1"],
        ["second", pids[1], "supervised", "running", "1"],
    ]
    listed = json.loads(ask("status", "--all", "--json")[1])
    assert [(run["run_id"], run["status"]["state"]) for run in listed] == [
        ("first", "running"),
        ("second", "running"),
    ]
    several = f"error: several runs, name one: first (pid {pids[0]}), second (pid {pids[1]})\n"
    assert ask("stop") == ask("status", "--json") == ask("top") == (1, "", several)
    assert ask("stop", "fir")[0] == 0
    assert ask("stop", pids[1])[0] == 0
    assert [run.command.finish()[0] for run in runs] == [143, 143]


def test_a_run_that_is_suspended_is_listed_as_such(
    waiting: Callable[..., Started], ask: Ask
) -> None:
    run = waiting("inline")
    freeze(run.command.process.pid)
    try:
        code, out, _ = ask("status", "--all")
        assert (code, "no answer" in out) == (0, True)
        code, _, err = ask("stop", "--timeout", "0.3")
        assert (code, "has not answered within 0.3 s" in err) == (5, True)
    finally:
        run.command.signal(signal.SIGCONT)
    # The stop was in its backlog.
    assert run.command.finish()[0] == 143


@pytest.mark.parametrize("command", ["status", "top", "stop", "events"])
def test_an_unsafe_run_directory_is_refused_by_name(ask: Ask, folder: Path, command: str) -> None:
    folder.mkdir()
    folder.chmod(0o755)
    code, out, err = ask(command)
    assert (code, out) == (1, "")
    assert err.startswith(f"error: run directory {folder}: its mode is 0755")


def test_a_directory_that_a_stranger_made_first_takes_no_command_away(
    target: Path, ears: Ears, sk: Sk, ask: Ask, folder: Path
) -> None:
    session, temporary = folder / "s", folder / "t"
    stranger = temporary / f"stream-kernel-{os.geteuid()}"
    stranger.mkdir(parents=True)
    stranger.chmod(0o755)
    session.mkdir()
    environment = {
        "SK_RUN_DIR": "",
        "XDG_RUNTIME_DIR": str(session),
        "TMPDIR": str(temporary),
    }
    source = {"count": 20, "then": "wait", "ears": ears.port}
    configuration = settings(target, mode="inline", groups=(), source=source)
    run = sk("run", configuration, "--run-id", "r1", environment=environment)
    ears.hear("open")
    ears.hear("waiting")
    warning = f"warning: not looked in: run directory {stranger}: its mode is 0755"
    for arguments in (["status", "r1"], ["status", "--all"], ["events", "r1"], ["stop", "r1"]):
        code, out, err = ask(*arguments, **environment)
        assert (code, "r1" in out) == (0, True)
        assert [line.startswith(warning) for line in err.splitlines()] == [True]
    assert run.finish()[0] == 143


def test_a_run_without_a_run_directory_goes_on_and_says_so(
    target: Path, ask: Ask, tmp_path: Path
) -> None:
    log = tmp_path / "events.jsonl"
    exporters = [{"kind": "jsonl", "settings": {"path": str(log)}}]
    observability = {"logging": {"exporters": exporters}}
    configuration = settings(target, groups=ONE_GROUP, observability=observability)
    missing = str(tmp_path / "no" / "where")
    code, _, err = ask("run", configuration, SK_RUN_DIR=missing)
    assert code == 0
    assert f"warning: sk status and sk stop cannot reach this run: run directory {missing}" in err
    (event,) = [e for e in _lines(log) if e["event"] == "admin_unavailable"]
    assert event["fields"] == {"path": missing, "problem": "No such file or directory"}


@MODES
def test_a_run_that_insists_on_its_socket_fails_to_start_without_it(
    target: Path, ask: Ask, tmp_path: Path, mode: str
) -> None:
    admin = {"enabled": True, "run_dir": str(tmp_path / "no" / "where")}
    groups = GROUPS if mode == "process_supervisor" else ()
    configuration = settings(target, mode=mode, groups=groups, platform={"admin": admin})
    code, _, err = ask("run", configuration)
    assert (code, "error: run directory" in err) == (3, True)
    assert target.read_text() == "old\n"


def test_a_run_that_wants_no_socket_has_none(
    waiting: Callable[..., Started], ask: Ask, folder: Path
) -> None:
    run = waiting("inline", platform={"admin": {"enabled": False}})
    assert not folder.exists()
    assert ask("status")[0] == 1
    run.command.signal(signal.SIGTERM)
    assert run.command.finish()[0] == 143


# ---- sk top --------------------------------------------------------------------------------------


def test_top_without_a_terminal_prints_one_table_below_the_other_until_the_end(
    waiting: Callable[..., Started], folder: Path, ask: Ask
) -> None:
    waiting()
    top = Command(["top", "--interval", "0.1"], environment={"SK_RUN_DIR": str(folder)})
    try:
        assert top.process.stdout is not None
        seen = 0
        while seen < 3:
            seen += top.process.stdout.readline().startswith("group")
        assert ask("stop")[0] == 0
        code, out, err = top.finish()
        assert (code, err) == (0, "")
        assert out.splitlines()[-1] == "run r1 has ended"
    finally:
        top.end()


@pytest.mark.parametrize("end", ["run", "key"])
def test_top_on_a_terminal_draws_in_place_until_the_run_ends_or_a_key_does(
    waiting: Callable[..., Started], folder: Path, ask: Ask, end: str
) -> None:
    run = waiting()
    reader, writer = pty.openpty()
    environment = {**os.environ, "SK_RUN_DIR": str(folder), "TERM": "xterm", "COLUMNS": "80"}
    top = subprocess.Popen(
        [sys.executable, "-m", "sk_supervisor", "top", "--interval", "0.1"],
        stdin=writer,
        stdout=writer,
        stderr=writer,
        env=environment,
        start_new_session=True,
    )
    os.close(writer)
    try:
        drawn = b""
        while drawn.count(b"restarts") < 4:
            drawn += os.read(reader, 65_536)
        assert b"\x1b[" in drawn
        assert b"mid-0.1" in drawn
        if end == "run":
            assert ask("stop")[0] == 0
        else:
            top.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):  # Linux's way to say that nobody writes any more
            while data := os.read(reader, 65_536):
                drawn += data
        assert top.wait(PATIENCE) == 0
        assert (b"run r1 has ended" in drawn) == (end == "run")
        assert b"Traceback" not in drawn
        if end == "run":
            assert run.command.finish()[0] == 143
        else:
            assert run.command.process.poll() is None
    finally:
        top.kill()
        top.wait()
        os.close(reader)


# ---- the rails -----------------------------------------------------------------------------------


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _logging(path: Path, **lifecycle: Any) -> dict[str, Any]:
    exporters = [{"kind": "jsonl", "settings": {"path": str(path)}}]
    return {"logging": {"exporters": exporters, "lifecycle_events": lifecycle}}


CHECKPOINTS = {
    *(f"worker_{step}" for step in ("spawned", "bootstrap_loaded", "ready", "running")),
    *(f"worker_{step}" for step in ("stopping", "stopped", "failed")),
    *(f"supervisor_{step}" for step in ("start_groups", "wait_ready", "start_workload")),
    *(f"supervisor_{step}" for step in ("graceful_stop", "force_stop")),
}


@pytest.mark.contract("P5PRE-SUP-06", "P5PRE-LOG-01")
def test_every_checkpoint_goes_to_the_exporter_with_number_time_run_group_and_worker(
    start: Callable[..., Started], ears: Ears, ask: Ask, tmp_path: Path
) -> None:
    """One run is stopped by force, in the other a worker is killed; together they pass them all."""
    forced, broken = tmp_path / "forced.jsonl", tmp_path / "broken.jsonl"
    work = {"at": 5, "do": "hold", "ears": ears.port}
    flow = {"groups": GROUPS, "work": work, "source": {"endless": True}}
    run = start(run_id="forced", **flow, observability=_logging(forced))
    ears.hear("here")
    assert ask("stop", "--force")[0] == 0
    assert run.command.finish()[0] == 5
    run = start(run_id="broken", **flow, observability=_logging(broken))
    os.kill(ears.hear("here").pid, signal.SIGKILL)
    assert run.command.finish()[0] == 4
    events = [*_lines(forced), *_lines(broken)]
    assert {event["event"] for event in events} >= CHECKPOINTS
    for path in (forced, broken):
        lines = _lines(path)
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
    waiting: Callable[..., Started],
    ask: Ask,
    tmp_path: Path,
    mode: str,
    lifecycle: dict[str, Any],
    levels: set[str],
) -> None:
    log = tmp_path / "events.jsonl"
    run = waiting(mode, observability=_logging(log, **lifecycle))
    held = ask("events")[1].splitlines()
    assert {line.split()[1] for line in held} == levels
    assert all(line.endswith("correlation_id=r1") for line in held)
    assert ask("stop")[0] == 0
    run.command.finish()
    assert {event["level"] for event in _lines(log)} == levels


def test_events_behind_a_number(waiting: Callable[..., Started], ask: Ask) -> None:
    waiting("inline")
    held = ask("events")[1].splitlines()
    assert ask("events", "--after", "2")[1].splitlines() == held[2:]
