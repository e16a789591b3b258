"""A run in memory that heeds no forced stop is ended all the same."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sk_supervisor._system import last_resort
from sk_supervisor._system.last_resort import AGAIN_SECONDS, LastResort
from supervisor_harness import (
    APPS,
    ECHO_SECONDS,
    PATIENCE,
    Command,
    Ears,
    let_pass,
    settings,
    written,
)
from supervisor_runs import Runs

Sk = Callable[..., Command]
#: The thread that watches waits, in a loop, and ends: in at least so many lines of Python.
FEWEST_STEPS = 8
#: A program that runs a configuration, and has a handler of its own for SIGTERM.
PROGRAM = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from sk_config import load_config
from sk_supervisor import run

signal.signal(signal.SIGTERM, lambda *_: os._exit(77))
run(load_config(sys.argv[1]))
"""


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_force_that_has_not_helped_in_its_time_is_the_end() -> None:
    left = threading.Event()
    resort = LastResort(left.set, grace_seconds=0.0)
    resort.watch()
    resort.forced()
    assert left.wait(PATIENCE)


def test_who_asks_again_a_second_behind_a_force_has_the_end_at_once() -> None:
    left, clock = threading.Event(), _Clock()
    resort = LastResort(left.set, grace_seconds=3600.0, clock=clock)
    resort.watch()
    assert not resort.again()  # nothing was forced
    resort.forced()
    clock.now = AGAIN_SECONDS * 0.99
    assert not resort.again()
    clock.now = AGAIN_SECONDS
    assert resort.again()
    assert left.wait(PATIENCE)


def test_that_it_is_over_may_be_said_at_any_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """At each step of the thread that watches, in turn."""
    failed = list[object]()
    monkeypatch.setattr(threading, "excepthook", failed.append)
    step = 1
    while over_at(step):
        assert not failed, step
        step += 1
    assert step > FEWEST_STEPS


def over_at(step: int) -> bool:
    """Say that all is over at this step of the thread; whether it has come so far."""
    resort = LastResort(lambda: None, grace_seconds=0.0)
    steps = 0

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any]:
        nonlocal steps
        if event == "line" and frame.f_code.co_filename == last_resort.__file__:
            steps += 1
            if steps == step:
                resort.disarm()
        return trace

    resort.forced()
    others = set(threading.enumerate())
    threading.settrace(trace)
    try:
        resort.watch()
    finally:
        threading.settrace(None)  # type: ignore[arg-type]
    for watching in set(threading.enumerate()) - others:
        watching.join(PATIENCE)
    return steps >= step


def test_what_is_over_is_ended_by_nobody_any_more() -> None:
    left, clock = threading.Event(), _Clock()
    resort = LastResort(left.set, grace_seconds=0.0, clock=clock)
    resort.disarm()
    resort.watch()
    resort.forced()
    clock.now = 3600.0
    assert not resort.again()
    assert not left.is_set()


def test_a_third_signal_ends_a_run_whose_node_swallows_the_second(
    target: Path, ears: Ears, sk: Sk
) -> None:
    work = {"at": 5, "do": "cling", "ears": ears.port}
    command = sk("run", settings(target, mode="inline", groups=(), work=work))
    ears.hear("here")
    command.signal(signal.SIGTERM)
    assert command.heard()
    command.insist(signal.SIGINT)
    ears.hear("swallowed")
    let_pass(AGAIN_SECONDS)
    command.signal(signal.SIGINT)
    code, _, err = command.finish()
    assert code == 5, err
    assert "error: stopped at once, by force: not drained: memory-0.1" in err.splitlines()
    assert "  memory-0.1 did not stop, in work (" in err
    assert f"  partial output: {target.with_suffix('.partial')}" in err.splitlines()
    assert target.read_text() == "old\n"


def test_a_forced_stop_has_an_end_though_no_code_of_python_runs(runs: Runs, ears: Ears) -> None:
    work = {"at": 5, "do": "deaf", "ears": ears.port}
    run = runs.start("inline", work=work, source={"endless": True})
    ears.hear("here")
    assert runs.ask("stop", "--force") == (0, "run r1 has ended with exit code 5\n", "")
    code, _, err = run.command.finish()
    assert (code, "memory-0.1 did not stop, in work (" in err) == (5, True), err
    assert (run.target.read_text(), run.files()) == ("old\n", [])


def test_a_program_of_its_own_has_its_signals_back_instead(
    target: Path, tmp_path: Path, ears: Ears
) -> None:
    work = {"at": 5, "do": "cling", "ears": ears.port}
    path = written(tmp_path, settings(target, mode="inline", groups=(), work=work))
    program = subprocess.Popen([sys.executable, "-c", PROGRAM, path, str(APPS)])
    try:
        ears.hear("here")
        program.send_signal(signal.SIGTERM)
        let_pass(ECHO_SECONDS * 2)
        program.send_signal(signal.SIGTERM)
        ears.hear("swallowed")
        let_pass(AGAIN_SECONDS)
        program.send_signal(signal.SIGTERM)
        assert program.wait(PATIENCE) == 77
    finally:
        program.kill()
        program.wait()
