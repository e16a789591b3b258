"""The ``sk`` command as users run it: exit codes, signals, what is said and what is left."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sk_config import build_config
from sk_kernel import AdapterFailedError
from sk_kernel.runtime import TraceIds
from sk_supervisor._protocol.failures import failure_of
from sk_supervisor._run.execute import run_with
from sk_supervisor._run.summary import with_cause
from sk_supervisor._worker.reports import print_failure
from supervisor_harness import (
    APPS,
    ONE_GROUP,
    PATIENCE,
    PATIENT,
    Command,
    Ears,
    expected,
    gone,
    settings,
    sk_words,
    written,
)

Sk = Callable[..., Command]
Ask = Callable[..., tuple[int, str, str]]


@pytest.mark.contract("P5PRE-EXEC-01", "IPC-INT-03")
def test_a_run_over_processes_ends_with_0_and_a_calm_account(target: Path, sk: Sk) -> None:
    code, out, err = sk("run", settings(target), "--run-id", "r1").finish()
    assert (code, out) == (0, "")
    assert target.read_text().splitlines() == expected(20)
    *phases, first, second, third = err.splitlines()
    assert first == "completed: supervised (process_supervisor), run r1"
    assert second.startswith("  records in 20, out 19,")
    assert third == "  lines 19"
    order = ["starting", "ready", "running", "stopping"]
    assert phases == [phase for phase in order if phase in phases]


@pytest.mark.contract("IPC-INT-01", "IPC-INT-03")
def test_the_memory_profile_starts_no_process(target: Path, ears: Ears, sk: Sk) -> None:
    work = {"at": 5, "do": "hold", "ears": ears.port}
    command = sk("run", settings(target, mode="inline", groups=(), work=work), "--run-id", "r1")
    held = ears.hear("here")
    assert held.pid == command.process.pid
    assert command.workers() == []
    held.let_go()
    code, _, err = command.finish()
    assert code == 0
    assert "completed: supervised (memory), run r1" in err
    assert target.read_text().splitlines() == expected(20)


def test_quiet_says_nothing_of_a_run_that_went_well(target: Path, ask: Ask) -> None:
    assert ask("run", settings(target, groups=ONE_GROUP), "--quiet") == (0, "", "")


def test_quiet_says_nothing_of_a_run_that_was_stopped_as_it_was_asked_to(target: Path) -> None:
    told, quiet = (io.StringIO(), io.StringIO())
    config = build_config(settings(target, mode="inline", groups=()))
    for stderr in (told, quiet):
        code = run_with(
            config,
            run_id="r1",
            quiet=stderr is quiet,
            stderr=stderr,
            on_made=lambda supervisor: supervisor.request_stop("sk stop"),
        )
        assert code == 143
    assert "stopped: supervised (memory), run r1" in told.getvalue().splitlines()
    assert quiet.getvalue() == ""


@pytest.mark.contract("PROC-03", "P5PRE-LIFE-03")
def test_a_worker_killed_in_mid_run_ends_it_with_4(target: Path, ears: Ears, sk: Sk) -> None:
    work = {"at": 5, "do": "hold", "ears": ears.port}
    command = sk("run", settings(target, work=work, every_group=PATIENT), "--run-id", "r1")
    pids = [ears.hear("here").pid, *(p.pid for p in command.workers())]
    os.kill(pids[0], signal.SIGKILL)
    code, _, err = command.finish()  # long before the time that a stop may take
    assert code == 4
    assert "error: worker mid-0.1 of group mid failed (crash): signal SIGKILL" in err
    assert "  run r1" in err.splitlines()
    assert f"partial output: {target.with_suffix('.partial')}" in err
    assert "Traceback" not in err
    assert gone(pids, within=0)
    assert target.read_text() == "old\n"


@pytest.mark.parametrize("mode", ["process_supervisor", "inline"])
def test_partial_output_is_told_by_its_whole_path_where_the_sink_names_it_by_a_relative_one(
    tmp_path: Path, ask: Ask, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    work = {"at": 5, "do": "raise"}
    code, _, err = ask("run", settings(Path("out.txt"), mode=mode, groups=ONE_GROUP, work=work))
    assert code == 4
    assert f"  partial output: {tmp_path / 'out.partial'}" in err.splitlines()


@pytest.mark.parametrize("mode", ["process_supervisor", "inline"])
def test_a_node_that_raises_ends_the_run_with_4_and_shows_where(
    target: Path, ask: Ask, mode: str
) -> None:
    groups = ONE_GROUP if mode == "process_supervisor" else ()
    configuration = settings(target, mode=mode, groups=groups, work={"at": 5, "do": "raise"})
    code, _, err = ask("run", configuration, "--run-id", "r1", "--quiet")
    assert code == 4
    assert "node 'work' raised ValueError on record 5" in err
    assert f"  run r1, trace {TraceIds('r1').of(5)}" in err.splitlines()  # what a replay asks for
    assert err.count("ValueError: bad record 5") == 1
    assert "supervised_app.py" in err
    assert f"partial output: {target.with_suffix('.partial')}" in err
    assert target.read_text() == "old\n"


@pytest.mark.parametrize("mode", ["process_supervisor", "inline"])
def test_a_node_that_cannot_be_made_is_told_with_the_line_and_the_run(
    target: Path, ask: Ask, mode: str
) -> None:
    groups = ONE_GROUP if mode == "process_supervisor" else ()
    configuration = settings(target, mode=mode, groups=groups, work={"born": "raise"})
    code, _, err = ask("run", configuration, "--run-id", "r1", "--quiet")
    assert code == 3
    assert "work: its __init__ raised " in err
    assert err.count("Traceback") == 1
    assert "in __init__\n" in err
    assert not re.search(r"/sk_(kernel|supervisor)/", err)
    assert "  run r1" in err.splitlines()


def test_a_sink_that_cannot_even_be_aborted_is_told_by_its_own_lines_and_one_more(
    target: Path, ask: Ask
) -> None:
    configuration = settings(target, groups=ONE_GROUP)
    configuration["adapters"]["sink"]["settings"]["fails"] = "write abort"
    code, _, err = ask("run", configuration, "--quiet")
    assert code == 4
    assert err.count("Traceback") == 1
    assert not re.search(r"/sk_(kernel|supervisor)/", err)
    [line] = [line for line in err.splitlines() if "and then" in line]
    assert "and then: AdapterFailedError: sink:sink failed to abort: " in line


def test_only_the_source_reads_standard_input_and_only_the_sink_writes_standard_output(
    target: Path, sk: Sk
) -> None:
    configuration = settings(target)
    configuration["adapters"] = {"source": {"name": "stdin_numbers"}, "sink": {"name": "printed"}}
    command = sk("run", configuration, "--run-id", "r1", "--quiet", stdin=subprocess.PIPE)
    assert command.process.stdin
    command.process.stdin.write("".join(f"{n}\n" for n in range(1, 21)))
    code, out, err = command.finish()
    assert (code, err) == (0, "")
    assert out.splitlines() == expected(20)


def test_what_workers_print_goes_to_standard_error_behind_their_name(
    target: Path, ask: Ask
) -> None:
    configuration = settings(target, groups=ONE_GROUP, work={"at": 5, "do": "exit"})
    code, out, err = ask("run", configuration, "--quiet")
    assert (code, out) == (4, "")
    assert "[mid-0.1 stderr] last words" in err.splitlines()
    assert err.count("last words") == 1  # and not again with the error


def test_of_what_crashes_in_c_in_this_process_there_is_the_line_that_called_it(
    target: Path, sk: Sk
) -> None:
    configuration = settings(target, mode="inline", groups=(), work={"at": 5, "do": "crash"})
    code, _, err = sk("run", configuration).finish()
    assert code == -signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in err
    assert 'supervised_deeds.py", line ' in err


def test_a_standard_error_that_is_gone_ends_nothing(target: Path, tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        sk_words("run", written(tmp_path, settings(target, groups=ONE_GROUP))),
        stderr=write_end,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(APPS)},
        timeout=30,
    )
    os.close(write_end)
    assert done.returncode == 0
    assert target.read_text().splitlines()[-1] == "total 10"


#: How a shell has a command's standard error closed, and full.
GONE = pytest.mark.parametrize("gone", ["2>&-", "2>/dev/full"])
needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has one")


def unheard(gone: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {gone}', "sh", *sk_words(*arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(APPS)},
        timeout=PATIENCE,
        text=True,
    )


@needs_full
@GONE
@pytest.mark.parametrize("mode", ["process_supervisor", "inline"])
def test_a_profile_that_nobody_hears_is_no_output_and_no_failure(
    target: Path, tmp_path: Path, gone: str, mode: str
) -> None:
    groups = ONE_GROUP if mode == "process_supervisor" else ()
    path = written(tmp_path, settings(target, mode=mode, groups=groups))
    done = unheard(gone, "run", path, "--profile-run")
    assert (done.returncode, done.stdout) == (0, "")
    assert target.read_text().splitlines()[-1] == "total 10"


@needs_full
@GONE
def test_a_warning_that_nobody_hears_keeps_no_run_from_its_work(
    target: Path, tmp_path: Path, gone: str
) -> None:
    auth = {"auth": {"secret_mode": "static", "secret": "0123456789abcdef0123456789abcdef"}}
    path = written(tmp_path, settings(target, groups=ONE_GROUP, ipc=auth))
    assert unheard(gone, "run", path).returncode == 0
    assert target.read_text().splitlines()[-1] == "total 10"


@needs_full
@GONE
def test_a_refusal_that_nobody_hears_has_its_code(gone: str) -> None:
    for words, code in ((["run", "nothing.yaml"], 2), (["run", "--no-such-option"], 2)):
        done = unheard(gone, *words)
        assert (done.returncode, done.stdout) == (code, "")


def test_closed_standard_streams_are_no_files_of_a_run_s_own() -> None:
    """Else the next one that is opened gets their number, and what is meant for them."""
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os; os.close(0); os.close(1)\n"
            "from sk_supervisor._system.streams import fill_standard_streams as fill\n"
            "assert (fill(), fill()) == (True, False)\n"
            "assert [os.fstat(n).st_rdev for n in (0, 1)] == [os.stat(os.devnull).st_rdev] * 2\n"
            "assert os.get_inheritable(1)\n",
        ],
        stderr=subprocess.PIPE,
        timeout=PATIENCE,
    )
    assert (told.returncode, told.stderr) == (0, b"")


def test_an_output_that_takes_no_more_is_told_of_in_one_line(tmp_path: Path) -> None:
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    with (tmp_path / "full").open("w") as file:
        told = subprocess.run(
            [sys.executable, "-c", f"{full}from sk_supervisor.cli import main; main(['schema'])"],
            stdout=file,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
        )
    assert told.returncode == 1
    assert told.stderr == b"error: cannot write to standard output: File too large\n"


@pytest.mark.parametrize("own", [False, True])
def test_of_a_reader_that_has_gone_there_is_one_line_and_no_code(
    own: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether the adapter says so itself or in an error of its own."""
    error = AdapterFailedError("sink:sink", "write", "BrokenPipeError", "Broken pipe")
    error.__cause__ = BrokenPipeError()
    if own:
        error.__cause__ = ValueError()
        error.__cause__.__cause__ = BrokenPipeError()
    assert with_cause(error) == "sink:sink failed to write: BrokenPipeError: Broken pipe"
    assert failure_of(error, started=True).cause_type == "BrokenPipeError"
    print_failure(error)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("quiet", [False, True])
def test_a_run_whose_standard_output_nobody_reads_any_more_ends_as_tools_in_c_do(
    target: Path, tmp_path: Path, quiet: bool
) -> None:
    configuration = settings(target, mode="inline", groups=())
    configuration["adapters"]["sink"] = {"name": "printed"}
    reading, writing = os.pipe()
    os.close(reading)  # as head does
    words = sk_words("run", written(tmp_path, configuration), *["--quiet"] * quiet)
    environment = {**os.environ, "PYTHONPATH": str(APPS)}
    ended = subprocess.run(
        words, stdout=writing, stderr=subprocess.PIPE, env=environment, timeout=PATIENCE, text=True
    )
    os.close(writing)
    said = [] if quiet else ["ended: the reader of standard output has gone"]
    told = [line for line in ended.stderr.splitlines() if line != "running"]
    assert (ended.returncode, told) == (141, said)


def test_a_terminal_shows_one_line_and_takes_it_away(target: Path, tmp_path: Path) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        sk_words("run", written(tmp_path, settings(target, groups=ONE_GROUP))),
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        env={**os.environ, "PYTHONPATH": str(APPS), "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(slave)
    shown = read_all(master)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out == b""
    assert "in 20  out 19" in shown
    assert "mid stopped" in shown
    assert "\x1b[?25h" in shown  # the cursor is back
    assert "completed: supervised (process_supervisor)" in shown.rpartition("\x1b[2K")[2]


def read_all(master: int) -> str:
    shown = b""
    while True:
        data = b""
        with contextlib.suppress(OSError):  # EIO: how Linux tells that the other end is closed
            data = os.read(master, 65_536)
        if not data:
            os.close(master)
            return shown.decode()
        shown += data


@pytest.mark.parametrize("plane", ["data", "control"])
@pytest.mark.contract("BOOT-API-03")
def test_a_port_in_use_is_a_line_and_the_run_and_3(
    target: Path, ears: Ears, ask: Ask, plane: str
) -> None:
    ipc: dict[str, Any] = {"bind_port": ears.port}
    if plane == "control":
        ipc = {"control": {"transport": "tcp_local", "bind_port": ears.port}}
    code, _, err = ask("run", settings(target, ipc=ipc), "--run-id", "r1")
    assert code == 3
    assert len(err.splitlines()) == 2
    assert err.endswith("\n  run r1\n")
    assert str(ears.port) in err


@pytest.mark.parametrize("command", ["run", "check", "graph"])
@pytest.mark.parametrize("path", ["no-such.yaml", "."])
def test_a_configuration_that_cannot_be_read_is_one_error_and_2(
    ask: Ask, command: str, path: str
) -> None:
    code, out, err = ask(command, path)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {path}: 1 fault")
    assert len(err.splitlines()) == 2


@pytest.mark.parametrize("override", ["nonsense", "runtime.platform.no_such=1"])
def test_a_bad_override_is_one_error_and_2(
    target: Path, tmp_path: Path, ask: Ask, override: str
) -> None:
    code, out, err = ask("check", written(tmp_path, settings(target)), "--set", override)
    assert (code, out) == (2, "")
    assert "1 fault" in err


def test_every_fault_of_a_configuration_is_listed_and_nothing_started(
    target: Path, ask: Ask
) -> None:
    configuration = settings(target, work={"at": "three", "no": 1}, sink={"no": 1})
    configuration["runtime"]["observability"] = {
        "logging": {"exporters": [{"kind": "jsonl", "settings": {"path": "/no/such/log"}}]}
    }
    code, _, err = ask("run", configuration)
    assert code == 2
    for path in (
        "adapters.sink.settings.no",
        "nodes.work.at",
        "nodes.work.no",
        "logging.exporters[0].settings.path",
    ):
        assert path in err, err
    assert "starting" not in err


@pytest.mark.parametrize("run_id", ["", "x" * 257, "two\nlines"])
def test_a_run_id_that_no_message_can_carry_is_refused(
    target: Path, tmp_path: Path, ask: Ask, run_id: str
) -> None:
    code, _, err = ask("run", written(tmp_path, settings(target)), "--run-id", run_id)
    assert code == 2
    assert "run_id" in err


def test_check_and_graph_show_what_would_run(target: Path, tmp_path: Path, ask: Ask) -> None:
    configuration = written(tmp_path, settings(target))
    code, out, _ = ask("check", configuration)
    assert code == 0
    assert out == "ok: supervised, process_supervisor profile, 3 nodes, 3 groups\n"
    code, out, _ = ask("graph", configuration)
    assert code == 0
    assert 'subgraph g1["mid"]' in out
    assert '==>|"Odd"|' in out  # a hop
    assert '-->|"Worked"|' in out  # in process


def test_check_in_memory_warns_of_what_is_wrong_with_the_groups_that_it_leaves_out(
    target: Path, ask: Ask
) -> None:
    groups = [{"name": "all", "nodes": [*ONE_GROUP[0]["nodes"], "wrok"]}]
    code, out, err = ask("check", settings(target, mode="inline", groups=groups))
    assert (code, out.startswith("ok: ")) == (0, True)
    [line] = err.splitlines()
    assert line.startswith(
        "warning: over processes this would be refused:"
        " runtime.platform.process_groups[0].nodes[5]: unknown_node: expected one of "
    )
    assert ask("check", settings(target, mode="inline", groups=ONE_GROUP))[2] == ""


@pytest.mark.parametrize("words", [["-h"], ["check", "-h"]])
def test_the_short_name_of_help_is_one_everywhere(words: list[str], ask: Ask) -> None:
    code, out, _ = ask(*words)
    assert code == 0
    assert "-h, --help" in out


def test_schema_is_the_schema_of_the_configuration(ask: Ask) -> None:
    code, out, _ = ask("schema")
    assert (code, json.loads(out)["type"]) == (0, "object")


def test_lifecycle_events_go_to_the_configured_file(target: Path, tmp_path: Path, ask: Ask) -> None:
    log = tmp_path / "events.jsonl"
    configuration = settings(target, groups=ONE_GROUP)
    configuration["runtime"]["observability"] = {
        "logging": {"exporters": [{"kind": "jsonl", "settings": {"path": str(log)}}]}
    }
    assert ask("run", configuration, "--run-id", "r1")[0] == 0
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [e["sequence"] for e in events] == list(range(1, len(events) + 1))
    assert {e["correlation_id"] for e in events} == {"r1"}
