"""Which signals count, and as what: echoes, a lost terminal, every phase of a run."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_supervisor import RuntimeWorkerFailedError, StopForcedError
from sk_supervisor._system.signals import ECHO_SECONDS, ReceivedSignals
from supervisor_harness import (
    APPS,
    GROUPS,
    ONE_GROUP,
    PATIENCE,
    PATIENT,
    Command,
    Ears,
    expected,
    freeze,
    gone,
    meanwhile,
    settings,
    supervised,
    written,
)

Sk = Callable[..., Command]
TERM, INT, HUP = signal.SIGTERM, signal.SIGINT, signal.SIGHUP


@pytest.mark.parametrize(
    ("came", "counted"),
    [
        ([(TERM, 0.0)], [TERM]),
        ([(TERM, 0.0), (TERM, 0.00001)], [TERM]),
        ([(TERM, 0.0), (TERM, ECHO_SECONDS)], [TERM, TERM]),
        ([(TERM, 0.0), (HUP, 0.00001)], [TERM]),
        ([(TERM, 0.0), (HUP, ECHO_SECONDS)], [TERM, HUP]),
        ([(TERM, 0.0), (HUP, 0.01), (INT, 0.02), (TERM, 0.02 + ECHO_SECONDS)], [TERM, TERM]),
        ([(INT, 0.0), (INT, 0.09), (INT, 0.18), (INT, 0.27)], [INT]),
    ],
)
def test_whatever_comes_at_once_behind_a_signal_is_one_word_with_it(
    came: list[tuple[signal.Signals, float]], counted: list[signal.Signals]
) -> None:
    heard = ReceivedSignals()
    assert [number for number, at in came if heard.counts(number, at)] == counted
    assert heard.numbers == counted


@given(st.lists(st.tuples(st.sampled_from([TERM, INT, HUP]), st.floats(0.0, 1.0)), max_size=30))
def test_no_two_words_in_a_row_are_within_an_echo(
    steps: list[tuple[signal.Signals, float]],
) -> None:
    heard, now, told = ReceivedSignals(), 0.0, []
    for number, step in steps:
        now += step
        if heard.counts(number, now):
            told.append((number, now))
    assert [number for number, _ in told] == heard.numbers
    assert [number for number, _ in told[:1]] == [number for number, _ in steps[:1]]
    for (_, before), (_, after) in pairwise(told):
        assert after - before >= ECHO_SECONDS * 0.999


@pytest.mark.parametrize("mode", ["process_supervisor", "inline"])
@pytest.mark.contract("P5PRE-LIFE-04")
def test_a_lost_terminal_drains_the_run_with_129(
    target: Path, ears: Ears, sk: Sk, mode: str
) -> None:
    groups = GROUPS if mode == "process_supervisor" else ()
    source = {"count": 20, "then": "wait", "ears": ears.port}
    command = sk("run", settings(target, mode=mode, groups=groups, source=source), "--run-id", "r1")
    ears.hear("open")
    ears.hear("waiting")
    for process in command.workers():
        process.send_signal(HUP)  # which they leave to their supervisor
    command.signal(HUP)
    code, _, err = command.finish()
    assert code == 129, err
    partial = target.with_suffix(".partial")
    assert partial.read_text().splitlines() == [*expected(20), "aborted"]


def test_under_nohup_a_lost_terminal_is_not_heard(target: Path, tmp_path: Path, ears: Ears) -> None:
    source = {"count": 20, "then": "wait", "ears": ears.port}
    path = written(tmp_path, settings(target, groups=ONE_GROUP, source=source))
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "sk_supervisor", "run", path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(APPS)},
    )
    ears.hear("open")
    ears.hear("waiting")
    process.send_signal(HUP)
    process.send_signal(INT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "stopped: supervised" in err


def test_timeout_of_coreutils_signals_twice_and_the_run_is_drained(
    target: Path, tmp_path: Path, ears: Ears
) -> None:
    """Its child, and at once its group with the child in it; as when the time is over."""
    source = {"count": 20, "then": "wait", "ears": ears.port}
    path = written(tmp_path, settings(target, groups=ONE_GROUP, source=source))
    process = subprocess.Popen(
        ["timeout", "--preserve-status", "60", sys.executable, "-m", "sk_supervisor", "run", path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(APPS)},
        process_group=0,
    )
    ears.hear("open")
    ears.hear("waiting")
    process.send_signal(TERM)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143, err
    assert "by force" not in err


@pytest.mark.parametrize("mode", ["process_supervisor", "inline"])
@pytest.mark.contract("P5PRE-LIFE-04")
def test_what_systemd_sends_with_send_sighup_drains_the_run(
    target: Path, ears: Ears, sk: Sk, mode: str
) -> None:
    """A SIGTERM and at once a SIGHUP; which of them it hears first is the system's to say."""
    groups = ONE_GROUP if mode == "process_supervisor" else ()
    source = {"count": 20, "then": "wait", "ears": ears.port}
    command = sk("run", settings(target, mode=mode, groups=groups, source=source))
    ears.hear("open")
    ears.hear("waiting")
    command.signal(TERM)
    command.signal(HUP)
    code, _, err = command.finish()
    assert code in (143, 129), err
    assert "stopped: supervised" in err


@pytest.mark.parametrize("number", [TERM, INT, HUP])
def test_each_signal_ends_a_start_with_its_own_code_and_at_once(
    target: Path, ears: Ears, sk: Sk, number: signal.Signals
) -> None:
    modules = ("fragile_app", "supervised_app")
    patient = {**PATIENT, "start_timeout_seconds": 600}
    configuration = settings(target, groups=ONE_GROUP, modules=modules, every_group=patient)
    command = sk("run", configuration, environment={"SK_TEST_IMPORT": f"hang:{ears.port}"})
    pids = [ears.hear("importing").pid]
    command.signal(number)
    code, _, err = command.finish()  # long before the time that a start and a stop may take
    assert code == 128 + number
    assert err.splitlines()[-1] == f"stopped while starting: {number.name}"
    assert gone(pids, within=0)


@pytest.mark.parametrize("number", [TERM, INT])
def test_one_signal_while_it_drains_is_waited_out_and_another_ends_it_at_once(
    target: Path, ears: Ears, sk: Sk, number: signal.Signals
) -> None:
    """The same one again too, if it is no echo: the exit codes are 5, and 128 and the first's."""
    work = {"at": 5, "do": "hold", "ears": ears.port}
    command = sk("run", settings(target, groups=ONE_GROUP, work=work))
    ears.hear("here")
    pids = [p.pid for p in command.workers()]
    command.signal(number)
    assert command.heard()
    command.insist(number)
    code, _, err = command.finish()
    assert (code, "stopped at once, by force" in err) == (5, True)
    assert gone(pids, within=0)


@pytest.mark.contract("STOP-IPC-02", "P5PRE-LIFE-04")
def test_a_second_word_while_workers_are_stopping_kills_whoever_is_left(target: Path) -> None:
    """Long before the budget is gone; the first word, behind the work, changes nothing."""
    with supervised(target, every_group={"stop_timeout_seconds": 600}) as run:
        run.ready()
        [frozen] = [w for w in run.supervisor.snapshot().workers() if w.worker_id == "mid-0.1"]
        freeze(frozen.pid)

        def ask() -> None:
            run.happened.wait_for("worker_stopped", "in-0.1")
            run.supervisor.request_stop("first")
            run.supervisor.request_stop("second", force=True)

        with meanwhile(ask):
            assert run.supervisor.shutdown() == "kill"
        rungs = {w.worker_id: w.rung for w in run.supervisor.snapshot().workers()}
        assert (rungs["in-0.1"], rungs["mid-0.1"]) == ("stop", "kill")
        assert gone(run.pids(), within=0)


@pytest.mark.contract("STOP-IPC-02", "STOP-IPC-03", "P5PRE-SUP-04")
def test_one_hung_worker_delays_no_other_and_each_has_its_own_rung(target: Path) -> None:
    with supervised(target, every_group={"stop_timeout_seconds": 8}) as run:
        run.ready()
        [frozen] = [w for w in run.supervisor.snapshot().workers() if w.worker_id == "mid-0.1"]
        freeze(frozen.pid)
        assert run.supervisor.shutdown() == "kill"
        stopped = {e.worker: e for e in run.events("worker_stopped")}
        # The hung one has its share of the budget; the others are not kept waiting for that.
        assert list(stopped)[-1] == "mid-0.1"
        told = {w: (e.fields["mode"], e.fields["rung"]) for w, e in stopped.items()}
        assert told == {
            "in-0.1": ("graceful", "stop"),
            "mid-0.1": ("forced", "kill"),
            "out-0.1": ("graceful", "stop"),
        }
        assert {w.worker_id: w.rung for w in run.supervisor.snapshot().workers()} == {
            worker: rung for worker, (_, rung) in told.items()
        }


@pytest.mark.contract("P5PRE-LIFE-04", "STOP-IPC-02")
def test_a_forced_stop_in_full_flow_is_at_once(target: Path) -> None:
    with supervised(target, source={"endless": True}) as run:
        run.ready()

        def twice() -> None:
            run.happened.wait_for("worker_running", "out-0.1")
            run.supervisor.request_stop("first")
            run.supervisor.request_stop("second", force=True)

        with meanwhile(twice), pytest.raises(StopForcedError):
            run.supervisor.run()
        run.supervisor.shutdown()
        assert gone(run.pids(), within=0)


@pytest.mark.usefixtures("unhurried")
@pytest.mark.contract("P5PRE-SUP-08")
def test_a_worker_whose_control_session_is_lost_is_ended_without_it(
    target: Path, ears: Ears
) -> None:
    """It lives on and hears nothing: its own end of the session is gone without its knowledge."""
    with supervised(target, work={"at": 5, "do": "mute", "ears": ears.port}) as run:
        run.ready()
        with pytest.raises(RuntimeWorkerFailedError, match="control session was lost"):
            run.supervisor.run()
        muted = ears.hear("here")
        assert run.supervisor.shutdown() == "kill"
        assert gone([muted.pid], within=0)
        stopped = {e.worker: e.fields["mode"] for e in run.events("worker_stopped")}
        assert stopped == {"in-0.1": "graceful", "mid-0.1": "forced", "out-0.1": "graceful"}


@pytest.mark.contract("P5PRE-SUP-08")
def test_workers_that_may_not_be_signalled_are_stopped_all_the_same(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system refuses every signal, even to what a worker has left in its group."""
    refused: list[int] = []

    def refuse(pid: int, _: int) -> None:
        refused.append(pid)
        raise PermissionError(errno.EPERM, "signals are denied here")

    with supervised(target) as run:
        run.ready()
        monkeypatch.setattr(os, "killpg", refuse)
        assert run.supervisor.shutdown() == "stop"
        assert set(refused) == set(run.pids())
        assert gone(run.pids(), within=0)
        assert [e.fields["ended"] for e in run.events("worker_stopped")] == ["exit code 0"] * 3


@pytest.mark.contract("P5PRE-SUP-08")
def test_a_worker_that_has_no_control_session_yet_is_ended_without_it(
    target: Path, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SK_TEST_IMPORT", f"hang:{ears.port}")
    with supervised(target, modules=("fragile_app", "supervised_app")) as run:
        run.start()
        pids = [ears.hear("importing").pid for _ in GROUPS]
        run.supervisor.stop_groups(20, drain_inflight=False)
        assert gone(pids, within=0)
        assert {w.state for w in run.supervisor.snapshot().workers()} == {"stopped"}


@pytest.mark.contract("STOP-IPC-02", "P5PRE-LIFE-04", "PROC-INT-03")
def test_all_hung_workers_are_killed_when_the_budget_is_over(target: Path) -> None:
    """That it is one for all is the stop ladder's, whose tests have a clock of their own."""
    with supervised(target, every_group={"stop_timeout_seconds": 4}) as run:
        run.ready()
        for worker in run.supervisor.snapshot().workers():
            freeze(worker.pid)
        assert run.supervisor.shutdown() == "kill"
        assert [e.fields["rung"] for e in run.events("worker_stopped")] == ["kill"] * 3
        assert gone(run.pids(), within=0)
