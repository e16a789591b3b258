"""Workers that fall silent or stand still, on real processes: what they are found to be doing."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from sk_supervisor import RuntimeLifecycleReadyError
from supervisor_harness import (
    MIDDLE,
    ONE_GROUP,
    PATIENCE,
    PATIENT,
    Ears,
    Heard,
    expected,
    meanwhile,
    supervised,
)

QUICK = {"heartbeat_seconds": 1, **PATIENT}
HIDDEN = "hunter2-and-a-half"


# ---- silent --------------------------------------------------------------------------------------


@pytest.mark.contract("P5PRE-LIFE-02")
@pytest.mark.parametrize(
    ("do", "vitals", "says"),
    [
        ("freeze", "stopped", "its process is stopped (SIGSTOP, or a debugger)"),
        ("backtrack", "busy", "its process is busy"),
        ("grip", "idle", "its process is idle"),
    ],
)
def test_a_silent_worker_is_failed_and_told_from_a_stopped_a_busy_and_an_idle_one(
    target: Path, ears: Ears, do: str, vitals: str, says: str
) -> None:
    work = {"at": 5, "do": do, "ears": ears.port}
    with supervised(target, groups=ONE_GROUP, work=work, every_group=QUICK) as run:
        error = run.fails()
        assert (error.category, error.worker, error.vitals) == ("heartbeat", MIDDLE, vitals)
        limit = r"\(3 x heartbeat_seconds: 1\)"
        words = rf"no heartbeat for (\d+\.\d) s {limit}: {re.escape(says)}"
        silence = re.fullmatch(words, error.message)
        assert silence
        assert float(silence[1]) >= 3
        [event] = run.events("worker_failed")
        assert (event.fields["category"], event.fields["vitals"]) == ("heartbeat", vitals)
        assert run.events("worker_stuck") == []


@pytest.mark.contract("P5PRE-SUP-02")
def test_a_slow_start_is_not_judged_by_heartbeats(target: Path, ears: Ears) -> None:
    """It says nothing for longer than three heartbeats, and that is its right until its timeout."""
    work = {"born": "wait", "ears": ears.port}
    with supervised(target, groups=ONE_GROUP, work=work, every_group=QUICK) as run:
        run.start()
        born = ears.hear("born")
        assert not run.supervisor.wait_ready(3.5)
        born.let_go()
        assert run.supervisor.wait_ready(PATIENCE)
        assert run.events("worker_failed") == []


# ---- standing still ------------------------------------------------------------------------------


@pytest.mark.parametrize(("do", "vitals"), [("hold", "idle"), ("spin", "busy")])
def test_a_worker_that_beats_and_stands_still_before_work_is_failed_where_that_is_asked_for(
    target: Path, ears: Ears, do: str, vitals: str
) -> None:
    group = {**PATIENT, "stuck_after_seconds": 2, "on_stuck": "fail"}
    with supervised(target, work={"at": 5, "do": do, "ears": ears.port}, every_group=group) as run:
        error = run.fails()
        assert (error.category, error.worker, error.vitals) == ("stuck", MIDDLE, vitals)
        assert "(stuck_after_seconds: 2) with " in error.message
        assert "of work at hand, in work (" in error.message
        assert re.fullmatch(r"work \(.*supervised_\w+\.py, line \d+\)", error.position)
        [stuck] = run.events("worker_stuck")
        assert (stuck.worker, stuck.fields["vitals"]) == (MIDDLE, vitals)
        assert stuck.fields["seconds"] >= 2
        assert stuck.fields["waiting"] >= 1
        assert stuck.sequence < run.events("worker_failed")[0].sequence


def test_otherwise_a_stall_is_told_once_with_its_end_and_the_run_goes_on(
    target: Path, ears: Ears
) -> None:
    work = {"at": 5, "do": "hold", "ears": ears.port}
    with supervised(target, work=work, every_group={"stuck_after_seconds": 3}) as run:

        def let_go_when_stuck() -> None:
            heard = ears.hear("here")
            run.happened.wait_for("worker_stuck", MIDDLE)
            [worker] = run.supervisor.snapshot().group("mid").workers
            seen.append((worker.stuck, worker.waiting > 0, worker.state))
            heard.let_go()

        seen: list[tuple[bool, bool, str]] = []
        with meanwhile(let_go_when_stuck):
            run.ready()
            assert run.supervisor.run().outcome == "completed"
        assert seen == [(True, True, "running")]
        told = [name for name in run.names(MIDDLE) if "stuck" in name]
        assert told == ["worker_stuck", "worker_unstuck"]
        assert run.events("worker_failed") == []
    assert target.read_text().splitlines() == expected(20)


# ---- crashed -------------------------------------------------------------------------------------


@pytest.mark.contract("P5PRE-LIFE-03", "PROC-03", "PROC-INT-04", "PROC-INT-08")
def test_a_crash_is_told_with_its_exit_its_last_lines_and_its_last_progress(
    target: Path, ears: Ears
) -> None:
    work = {"at": 15, "do": "hold_and_exit", "ears": ears.port}
    platform = {"batch": {"max_records": 2}}
    with supervised(target, work=work, platform=platform, every_group=PATIENT) as run:
        told_all = threading.Event()

        def seen(group: str, state: str) -> None:
            if group == "mid" and run.supervisor.snapshot().group("mid").workers[0].batches == 7:
                told_all.set()

        def let_go() -> None:
            heard: Heard = ears.hear("here")
            assert told_all.wait(PATIENCE)
            heard.let_go()

        run.on_state = seen
        with meanwhile(let_go):
            error = run.fails()
        assert (error.category, error.ended) == ("crash", "exit code 7")
        assert error.stderr_tail == ("last words",)
        assert (error.records_in, error.records_out, error.batches) == (7, 7, 7)
        assert error.at_hand is not None
        assert (error.at_hand.first, error.at_hand.oldest_last) == (15, 16)
        assert str(error).splitlines() == [
            "worker mid-0.1 of group mid failed (crash): exit code 7",
            "  its last progress: 7 batches, to record 14 of the source: 7 records in, 7 out",
            f"  in progress: {error.at_hand}",
            f"  last known position: {error.position}",
            "  | last words",
        ]
        assert error.position.startswith("work (")
        [event] = run.events("worker_failed")
        assert event.fields == {
            "category": "crash",
            "ended": "exit code 7",
            "stderr_tail": "last words",
            "position": error.position,
            "records_in": 7,
            "records_out": 7,
            "batches": 7,
            "source_records": 14,
            "at_hand_first": 15,
            "at_hand_oldest_last": 16,
            "at_hand_last": error.at_hand.last,
            "at_hand_batches": error.at_hand.batches,
        }
        [worker] = run.supervisor.snapshot().group("mid").workers
        assert worker.progress_age_seconds is not None
        assert worker.age_seconds is not None
        assert worker.age_seconds >= worker.progress_age_seconds


@pytest.mark.contract("P5PRE-LIFE-03")
def test_a_secret_of_the_configuration_is_in_no_line_error_or_event(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SK_TEST_SECRET", HIDDEN)
    work = {"at": 5, "do": "leak", "secret": "${ENV:SK_TEST_SECRET}"}
    with supervised(target, groups=ONE_GROUP, work=work, every_group=PATIENT) as run:
        error = run.fails()
        assert error.ended == "exit code 9"
        [line] = error.stderr_tail
        assert line.startswith("cannot log in as")
        assert "'**********'" in line
        shown = [str(error), *error.stderr_tail, *run.lines, repr(run.log.events())]
        assert not [text for text in shown if HIDDEN in text]


def test_a_secret_in_what_a_worker_says_of_its_start_is_masked(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SK_TEST_SECRET", HIDDEN)
    work = {"born": "leak", "secret": "${ENV:SK_TEST_SECRET}"}
    with supervised(target, groups=ONE_GROUP, work=work) as run:
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError) as caught:
            run.supervisor.wait_ready(PATIENCE)
        shown = [str(caught.value), *run.lines, repr(run.log.events())]
        assert not [text for text in shown if HIDDEN in text]


# ---- groups --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("unhurried")
@pytest.mark.contract("STOP-IPC-03", "P5PRE-SUP-03", "P5PRE-SUP-04")
@pytest.mark.parametrize(("do", "mode"), [("", "graceful"), ("freeze", "forced")])
def test_each_group_tells_of_its_stop_once_and_in_which_mode(
    target: Path, do: str, mode: str
) -> None:
    with supervised(target, work={"at": 5, "do": do} if do else None, every_group=QUICK) as run:
        if do:
            run.fails()
        else:
            run.ready()
            run.supervisor.run()
            run.supervisor.shutdown()
        stopped = run.events("group_stopped")
        assert [e.group for e in stopped if e.group == "mid"] == ["mid"]
        assert sorted(str(e.group) for e in stopped) == ["in", "mid", "out"]
        modes = {e.group: e.fields["mode"] for e in stopped}
        assert modes == {"in": "graceful", "mid": mode, "out": "graceful"}
        assert {g.state for g in run.supervisor.snapshot().groups} == {"stopped"}
