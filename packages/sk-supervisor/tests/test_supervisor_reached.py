"""Which runs commands reach: by sockets in a run directory, which others may have made."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from supervisor_harness import GROUPS, ONE_GROUP, Command, Ears, gone, settings
from supervisor_runs import MODES, Runs, exporting, lines_of


def test_a_run_that_completes_leaves_nothing_in_the_run_directory(runs: Runs, target: Path) -> None:
    assert runs.ask("run", settings(target, groups=ONE_GROUP))[0] == 0
    assert list(runs.folder.iterdir()) == []


def test_what_a_killed_run_left_is_passed_over_by_a_look_and_swept_by_the_next_run(
    runs: Runs, target: Path
) -> None:
    run = runs.waiting()
    pids = [p.pid for p in run.command.workers()]
    run.command.process.kill()
    run.command.process.wait()
    left = run.files()
    assert len(left) == 2
    code, out, err = runs.ask("status")
    assert (code, out) == (1, "")
    assert err.startswith("error: no run of this user is active (searched: ")
    assert run.files() == left
    assert runs.ask("run", settings(target, groups=ONE_GROUP))[0] == 0
    assert run.files() == []
    assert gone(pids)


def test_a_run_in_its_project_s_folder_leaves_all_that_is_there(
    target: Path, ask: Callable[..., tuple[int, str, str]], run_dir: Path
) -> None:
    """Its own configuration among it, and files that look left behind to nobody."""
    folder = run_dir / "project"
    folder.mkdir(mode=0o700)
    configuration = folder / "run.json"
    admin = {"admin": {"enabled": True, "run_dir": str(folder)}}
    content = json.dumps(settings(target, mode="inline", groups=(), platform=admin))
    configuration.write_text(content)
    (hidden := folder / ".coverage").write_text("x")
    os.utime(hidden, (0, 0))
    assert ask("run", str(configuration))[0] == 0
    for command in ("status", "top", "stop", "events"):
        assert ask(command, "--run-dir", str(folder))[0] == 1
    assert {path.name for path in folder.iterdir()} == {"run.json", ".coverage"}
    assert configuration.read_text() == content


@pytest.mark.parametrize("command", ["status", "top", "stop", "events"])
def test_an_unsafe_run_directory_is_refused_by_name(runs: Runs, command: str) -> None:
    runs.folder.mkdir()
    runs.folder.chmod(0o755)
    code, out, err = runs.ask(command)
    assert (code, out) == (1, "")
    assert err.startswith(f"error: run directory {runs.folder}: its mode is 0755")


def test_a_directory_that_a_stranger_made_first_takes_no_command_away(
    runs: Runs, target: Path, ears: Ears, sk: Callable[..., Command]
) -> None:
    session, temporary = runs.folder / "s", runs.folder / "t"
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
        code, out, err = runs.ask(*arguments, **environment)
        assert (code, "r1" in out) == (0, True)
        assert [line.startswith(warning) for line in err.splitlines()] == [True]
    assert run.finish()[0] == 143


def test_a_run_without_a_run_directory_goes_on_and_says_so(
    runs: Runs, target: Path, tmp_path: Path
) -> None:
    log = tmp_path / "events.jsonl"
    configuration = settings(target, groups=ONE_GROUP, observability=exporting(log))
    missing = str(tmp_path / "no" / "where")
    code, _, err = runs.ask("run", configuration, SK_RUN_DIR=missing)
    assert code == 0
    assert f"warning: sk status and sk stop cannot reach this run: run directory {missing}" in err
    (event,) = [e for e in lines_of(log) if e["event"] == "admin_unavailable"]
    assert event["fields"] == {"path": missing, "problem": "No such file or directory"}


@MODES
def test_a_run_that_insists_on_its_socket_fails_to_start_without_it(
    runs: Runs, target: Path, tmp_path: Path, mode: str
) -> None:
    admin = {"enabled": True, "run_dir": str(tmp_path / "no" / "where")}
    groups = GROUPS if mode == "process_supervisor" else ()
    configuration = settings(target, mode=mode, groups=groups, platform={"admin": admin})
    code, _, err = runs.ask("run", configuration)
    assert (code, "error: run directory" in err) == (3, True)
    assert target.read_text() == "old\n"


def test_a_run_that_wants_no_socket_has_none(runs: Runs) -> None:
    run = runs.waiting("inline", platform={"admin": {"enabled": False}})
    assert not runs.folder.exists()
    assert runs.ask("status")[0] == 1
    run.command.signal(signal.SIGTERM)
    assert run.command.finish()[0] == 143
