"""Signals to a running ``sk``: to the supervisor, to everybody, twice, and the last of all."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from sk_config import build_config
from sk_supervisor import run
from sk_supervisor._system.signals import without_signals
from supervisor_harness import (
    APPS,
    ONE_GROUP,
    Command,
    Ears,
    expected,
    freeze,
    gone,
    settings,
    written,
)

Sk = Callable[..., Command]
#: ``sk run`` that gets a SIGINT as it comes to one of its steps.
EARLY = """
import signal, sys
from sk_supervisor._run import execute as _execute
from sk_supervisor.cli import main

step = getattr(_execute, sys.argv[1])

def interrupted(*arguments, **named):
    signal.raise_signal(signal.SIGINT)
    return step(*arguments, **named)

setattr(_execute, sys.argv[1], interrupted)
main(["run", sys.argv[2]])
"""


@pytest.mark.parametrize("mode", ["process_supervisor", "inline"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.contract("P5PRE-LIFE-04", "STOP-IPC-01", "PROC-02")
def test_a_signal_drains_the_run_and_tells_by_the_exit_code(
    target: Path, ears: Ears, sk: Sk, mode: str, number: signal.Signals, code: int
) -> None:
    groups = ONE_GROUP if mode == "process_supervisor" else ()
    source = {"count": 20, "then": "wait", "ears": ears.port}
    command = sk("run", settings(target, mode=mode, groups=groups, source=source), "--run-id", "r1")
    ears.hear("open")
    ears.hear("waiting")
    command.signal(number)
    ended, _, err = command.finish()
    assert ended == code
    partial = target.with_suffix(".partial")
    assert partial.read_text().splitlines() == [*expected(20), "aborted"]
    assert f"partial output: {partial}" in err
    assert "stopped: supervised" in err
    assert "Traceback" not in err
    assert target.read_text() == "old\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_that_the_parent_process_had_blocked_are_heard(
    target: Path, ears: Ears, sk: Sk, number: signal.Signals, code: int
) -> None:
    source = {"count": 20, "then": "wait", "ears": ears.port}
    with without_signals():
        command = sk("run", settings(target, groups=ONE_GROUP, source=source))
    ears.hear("open")
    ears.hear("waiting")
    command.signal(number)
    ended, _, err = command.finish()
    assert ended == code
    assert "stopped: supervised" in err


@pytest.mark.contract("P5PRE-LIFE-04")
def test_a_run_in_full_flow_is_drained_by_a_signal(target: Path, ears: Ears, sk: Sk) -> None:
    configuration = settings(
        target, source={"endless": True}, work={"at": 20_001, "do": "hold", "ears": ears.port}
    )
    command = sk("run", configuration, "--run-id", "r1")
    held = ears.hear("here")
    command.signal(signal.SIGTERM)
    assert command.heard()
    held.let_go()
    code, _, err = command.finish()
    assert code == 143, err
    [records_in] = re.findall(r"records in ([\d,]+), out", err)
    total = int(records_in.replace(",", ""))
    assert total >= 20_001  # the one in work when the signal came
    lines = target.with_suffix(".partial").read_text().splitlines()
    # Whatever was read was worked off, to the last record and in order.
    assert lines == [*expected(total), "aborted"]


@pytest.mark.contract("P5PRE-LIFE-04")
def test_a_signal_to_every_process_at_once_is_a_clean_drain_too(
    target: Path, ears: Ears, sk: Sk
) -> None:
    """As a service manager does it: the workers leave the lead to the supervisor."""
    source = {"count": 20, "then": "wait", "ears": ears.port}
    command = sk("run", settings(target, source=source))
    ears.hear("open")
    ears.hear("waiting")
    for process in [*command.workers(), psutil.Process(command.process.pid)]:
        process.send_signal(signal.SIGTERM)
    code, _, err = command.finish()
    assert code == 143, err
    assert "stopped: supervised" in err


def test_a_second_signal_while_workers_start_is_a_forced_stop(
    target: Path, ears: Ears, sk: Sk
) -> None:
    """One worker does not leave when it is asked to, and has ten minutes for it."""
    work = {"born": "wait", "ears": ears.port}
    patient = {"start_timeout_seconds": 600, "stop_timeout_seconds": 600}
    command = sk("run", settings(target, work=work, every_group=patient))
    frozen = psutil.Process(ears.hear("born").pid)
    freeze(frozen.pid)
    others = [p.pid for p in command.workers() if p.pid != frozen.pid]
    command.signal(signal.SIGTERM)
    assert gone(others)  # so the first one was heard
    assert command.process.poll() is None
    command.insist(signal.SIGINT)
    code, _, err = command.finish()  # long before its ten minutes
    assert code == 5, err
    said = "error: stopped while starting: SIGTERM, and then at once, by force"
    assert said in err.splitlines()
    assert gone([frozen.pid], within=0)
    assert target.read_text() == "old\n"


@pytest.mark.parametrize("step", ["display_for", "make_supervisor", "open_admin", "signals_to"])
def test_a_ctrl_c_before_signals_are_handled_ends_with_its_code(
    target: Path, tmp_path: Path, step: str
) -> None:
    begun = subprocess.run(
        [sys.executable, "-c", EARLY, step, written(tmp_path, settings(target))],
        env={**os.environ, "PYTHONPATH": str(APPS)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (begun.returncode, begun.stdout, begun.stderr) == (130, "", "")
    assert target.read_text() == "old\n"


class _Interrupting(io.StringIO):
    """A terminal at which somebody presses Ctrl-C as soon as the end is told."""

    def write(self, text: str, /) -> int:
        if text.startswith("completed: "):
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


def test_a_ctrl_c_behind_the_end_does_not_change_what_came_of_the_run(target: Path) -> None:
    platform = {"admin": {"enabled": False}}  # so that nothing is left to close behind it
    config = build_config(settings(target, mode="inline", groups=(), platform=platform))
    stream = _Interrupting()
    assert run(config, run_id="r1", stderr=stream) == 0
    assert "completed" in stream.getvalue()  # nor what is said of it
    assert target.read_text().splitlines() == expected(20)


@pytest.mark.parametrize("mode", ["process_supervisor", "inline"])
def test_a_second_signal_ends_the_run_by_force(target: Path, ears: Ears, sk: Sk, mode: str) -> None:
    groups = ONE_GROUP if mode == "process_supervisor" else ()
    work = {"at": 5, "do": "hold", "ears": ears.port}
    command = sk("run", settings(target, mode=mode, groups=groups, work=work))
    ears.hear("here")
    pids = [p.pid for p in command.workers()]
    command.signal(signal.SIGTERM)
    assert command.heard()
    command.insist(signal.SIGINT)
    code, _, err = command.finish()
    assert code == 5
    assert "stopped at once, by force" in err
    waits = "the source, or a node, to return" if mode == "inline" else "mid"
    said = f"stopping: waiting up to 30 s for {waits}; again (Ctrl-C) ends it now"
    assert said in err.splitlines()
    assert f"partial output: {target.with_suffix('.partial')}" in err
    assert gone(pids, within=0)
    assert target.read_text() == "old\n"


def test_in_memory_too_a_source_that_cannot_be_interrupted_does_not_hold_up_the_drain(
    target: Path, ears: Ears, sk: Sk
) -> None:
    source = {"count": 20, "then": "block", "ears": ears.port}
    command = sk("run", settings(target, mode="inline", groups=(), source=source), "--run-id", "r1")
    ears.hear("open")
    ears.hear("waiting")
    command.signal(signal.SIGTERM)
    code, _, err = command.finish()
    assert code == 143, err
    assert target.with_suffix(".partial").read_text().splitlines() == [*expected(20), "aborted"]


def test_in_memory_too_a_node_that_does_not_return_has_no_longer_than_a_stop_may_take(
    target: Path, ears: Ears, sk: Sk
) -> None:
    """Nor has what the source is left for any effect on a node."""
    work = {"at": 5, "do": "hold", "ears": ears.port}
    groups = [{**ONE_GROUP[0], "stop_timeout_seconds": 2}]
    command = sk("run", settings(target, mode="inline", groups=groups, work=work))
    ears.hear("here")
    command.signal(signal.SIGTERM)
    code, _, err = command.finish()
    assert code == 5, err
    assert "error: the stop took longer than 2 s; ended by force: memory-0.1" in err.splitlines()
    assert f"partial output: {target.with_suffix('.partial')}" in err


#: A child that is forked while a run's handlers are there, and one while a worker's are: how
#: signals find them, and how the parent is found then.
FORKED = """
import os, signal
from sk_supervisor._system.signals import signals_to
from sk_supervisor._worker.signals import hear_signals

def usual():
    found = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    return found == [signal.default_int_handler, signal.SIG_DFL, signal.SIG_DFL]

def forked():
    child = os.fork()
    if not child:
        os._exit(usual() and signal.set_wakeup_fd(-1) == -1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

reading, writing = os.pipe()
os.set_blocking(writing, False)
signal.set_wakeup_fd(writing)
with signals_to(print, force=False):
    print(forked(), usual())
hear_signals(print)
print(forked(), usual())
"""


def test_what_a_node_forks_hears_signals_as_any_process_does() -> None:
    command = [sys.executable, "-c", FORKED]
    found = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert found.stdout == "1 False\n1 False\n", found.stderr


#: An embedding program's handler of SIGTERM, emulated: Python's table knows such a one as None.
EMBEDDED = """
import signal
from sk_supervisor._system.signals import signals_to

known = signal.getsignal
signal.getsignal = lambda number: None if number == signal.SIGTERM else known(number)
with signals_to(print, force=False):
    print(known(signal.SIGTERM) is signal.SIG_DFL, known(signal.SIGINT).__name__)
"""


def test_a_signal_of_an_embedding_program_is_left_to_it() -> None:
    command = [sys.executable, "-c", EMBEDDED]
    found = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert found.stdout == "True handle\n", found.stderr


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="it looks at threads in /proc")
def test_of_the_threads_of_a_worker_the_one_that_handles_signals_takes_them(
    sk: Sk, target: Path
) -> None:
    apart = (("a", "source:source"), ("b", "who"), ("c", "sink:sink"))
    configuration = {
        "version": 1,
        "scenario": "heard",
        "runtime": {
            "discovery_modules": ["heard_app"],
            "platform": {
                "bootstrap": {"mode": "process_supervisor"},
                "execution_ipc": {"transport": "tcp_local", "control": {}},
                "process_groups": [{"name": name, "nodes": [vertex]} for name, vertex in apart],
            },
        },
        "adapters": {
            "source": {"name": "one"},
            "sink": {"name": "lines", "settings": {"path": str(target)}},
        },
    }
    code, _, err = sk("run", configuration).finish()
    assert code == 0, err
    assert target.read_text() == "MainThread\n"


@pytest.mark.contract("P5PRE-LIFE-05")
@pytest.mark.parametrize("do", ["hold", "spin", "deaf"])
def test_no_worker_outlives_a_supervisor_that_is_killed(
    target: Path, ears: Ears, sk: Sk, do: str
) -> None:
    """Whatever the workers do just then; the source's waits where it cannot be interrupted."""
    source = {"count": 20, "then": "block", "ears": ears.port}
    command = sk(
        "run", settings(target, source=source, work={"at": 5, "do": do, "ears": ears.port})
    )
    ears.hear("open")
    heard = {ears.hear_any().facts["what"] for _ in range(2)}
    assert heard == {"waiting", "here"}
    pids = [p.pid for p in command.workers()]
    assert len(pids) == 3
    command.process.kill()
    assert gone(pids)
    assert target.read_text() == "old\n"
