"""How a run over processes is stopped, and that nothing of it is left."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from sk_config import build_config
from sk_supervisor import (
    RuntimeWorkerFailedError,
    StartInterruptedError,
    StopForcedError,
    StopTimeoutError,
    run,
)
from supervisor_harness import (
    ONE_GROUP,
    PATIENCE,
    Ears,
    Supervised,
    descriptors,
    expected,
    gone,
    in_time,
    left_since,
    meanwhile,
    settings,
    supervised,
    threads,
)


@pytest.mark.contract("STOP-IPC-01", "STOP-IPC-03", "P5PRE-SUP-03", "PROC-02", "PROC-INT-03")
def test_a_graceful_stop_drains_and_forces_nothing(target: Path, ears: Ears) -> None:
    source = {"count": 20, "then": "wait", "ears": ears.port}
    with supervised(target, source=source) as run:
        run.ready()
        with meanwhile(stop_when_waiting, run, ears):
            report = run.supervisor.run()
        assert (report.outcome, report.records_in, report.records_out) == ("stopped", 20, 19)
        assert report.partial_outputs == (str(target.with_suffix(".partial")),)
        assert run.supervisor.shutdown() == "stop"
        stopped = run.events("worker_stopped")
        assert [e.fields["mode"] for e in stopped] == ["graceful"] * 3
        assert run.events("supervisor_force_stop") == []
    assert target.read_text() == "old\n"
    lines = target.with_suffix(".partial").read_text().splitlines()
    assert lines == [*expected(20), "aborted"]


def stop_when_waiting(run: Supervised, ears: Ears) -> None:
    ears.hear("open")
    ears.hear("waiting")
    run.supervisor.request_stop("test")


def test_a_slow_sink_holds_the_source_back_by_its_credit(target: Path, ears: Ears) -> None:
    sink = {"hold": True, "ears": ears.port}
    batch = {"max_records": 10, "in_flight": 3}
    source = {"endless": True}
    with supervised(target, source=source, sink=sink, platform={"batch": batch}) as run:
        run.ready()

        def stop() -> None:
            held = ears.hear("held")
            run.supervisor.request_stop("test")
            run.happened.wait_for("worker_drained", "in-0.1")  # which the sink does not hold up
            held.let_go()

        with meanwhile(stop):
            report = run.supervisor.run()
        assert 0 < report.records_in <= 30
        assert report.batches <= 3
    assert target.with_suffix(".partial").read_text().splitlines() == [
        *expected(report.records_in),
        "aborted",
    ]


def test_a_source_that_cannot_be_interrupted_does_not_hold_up_the_drain(
    target: Path, ears: Ears
) -> None:
    source = {"count": 20, "then": "block", "ears": ears.port}
    with supervised(target, source=source) as run:
        run.ready()
        with meanwhile(stop_when_waiting, run, ears):
            report = run.supervisor.run()
        assert (report.outcome, report.records_in) == ("stopped", 20)
        assert run.supervisor.shutdown() == "stop"


def test_a_source_whose_interrupt_raises_fails_the_run(target: Path, ears: Ears) -> None:
    source = {"count": 20, "then": "wait", "ears": ears.port, "fails": "interrupt"}
    with supervised(target, source=source) as run:
        run.ready()
        with (
            meanwhile(stop_when_waiting, run, ears),
            pytest.raises(RuntimeWorkerFailedError, match="failed to interrupt"),
        ):
            run.supervisor.run()


@pytest.mark.contract("STOP-IPC-02", "STOP-IPC-03", "P5PRE-SUP-04", "P5PRE-LIFE-04")
@pytest.mark.parametrize(
    ("do", "seconds", "rungs"), [("spin", 4, ["terminate", "kill"]), ("deaf", 2, ["kill"])]
)
def test_a_worker_that_heeds_no_stop_is_ended_by_force_when_its_budget_is_over(
    target: Path, ears: Ears, do: str, seconds: int, rungs: list[str]
) -> None:
    """What SIGTERM ends has a quarter of its budget for it: it may be too busy to make use of it.

    When which rung is taken is the stop ladder's, whose tests have a clock of their own.
    """
    work = {"at": 5, "do": do, "ears": ears.port}
    patience = {"stop_timeout_seconds": seconds}
    with supervised(target, groups=ONE_GROUP, work=work, every_group=patience) as run:
        run.ready()

        def stop() -> None:
            ears.hear("here")
            run.supervisor.request_stop("test")

        with (
            meanwhile(stop),
            pytest.raises(StopTimeoutError, match=f"seconds: {seconds}") as caught,
        ):
            run.supervisor.run()
        assert "mid-0.1" in caught.value.workers
        assert run.supervisor.shutdown() in rungs
        stopped = {e.worker: e.fields["mode"] for e in run.events("worker_stopped")}
        assert stopped["mid-0.1"] == "forced"
        assert gone(run.pids(), within=0)


@pytest.mark.contract("STOP-IPC-02", "P5PRE-SUP-04")
def test_stop_groups_raises_when_the_time_is_over_and_force_ends_the_rest(
    target: Path, ears: Ears
) -> None:
    work = {"at": 5, "do": "deaf", "ears": ears.port}
    with supervised(target, groups=ONE_GROUP, work=work) as run:
        run.ready()

        def stop() -> None:
            ears.hear("here")
            run.supervisor.request_stop("test")
            run.supervisor.request_stop("test", force=True)

        with meanwhile(stop), pytest.raises(StopForcedError) as caught:
            run.supervisor.run()
        assert caught.value.exit_code == 5
        with pytest.raises(TimeoutError):
            run.supervisor.stop_groups(0.3, drain_inflight=True)
        run.supervisor.force_terminate_groups(["mid"])
        assert gone(run.pids(), within=0)
        stopped = {e.worker: e.fields["mode"] for e in run.events("worker_stopped")}
        assert stopped["mid-0.1"] == "forced"
        assert run.supervisor.shutdown() == "none"


def test_a_stop_between_readiness_and_work_is_not_lost(target: Path) -> None:
    with supervised(target, groups=ONE_GROUP) as run:
        run.ready()
        run.supervisor.request_stop("early")
        with pytest.raises(StartInterruptedError, match="early"):
            run.supervisor.run()
    assert target.read_text() == "old\n"


def test_a_stop_by_force_between_readiness_and_work_needs_no_other_before_it(
    target: Path,
) -> None:
    with supervised(target, groups=ONE_GROUP) as run:
        run.ready()
        run.supervisor.request_stop("test", force=True)
        with pytest.raises(StopForcedError, match=r"^stopped at once, by force$"):
            run.supervisor.run()
    assert target.read_text() == "old\n"


def test_a_stop_while_a_worker_imports_does_not_wait_for_it(
    target: Path, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has ten minutes to leave when it is asked to, and is not asked."""
    patient = {"stop_timeout_seconds": 600}
    monkeypatch.setenv("SK_TEST_IMPORT", f"hang:{ears.port}")
    modules = ("fragile_app", "supervised_app")
    with supervised(target, groups=ONE_GROUP, modules=modules, every_group=patient) as run:
        run.start()
        ears.hear("importing")
        run.supervisor.request_stop("test")
        with pytest.raises(StartInterruptedError):
            run.supervisor.wait_ready(PATIENCE)
        with in_time():
            run.supervisor.shutdown()
        assert gone(run.pids(), within=0)


def leaves_nothing(once: Callable[[], None]) -> bool:
    """Whether this leaves no thread, no process, and, done often, no descriptor.

    gRPC opens a further poller whenever it comes to need one, and keeps it for good: what is left
    behind each time cannot be that.
    """
    for _ in range(8):
        before, open_before = threads(), len(descriptors())
        once()
        assert psutil.Process().children() == []
        if not left_since(before) and len(descriptors()) <= open_before:
            return True
    return False


def test_nothing_of_a_run_is_left(target: Path) -> None:
    def once() -> None:
        with supervised(target) as run:
            run.ready()
            run.supervisor.run()

    assert leaves_nothing(once)


def test_nothing_of_a_failed_run_is_left(target: Path) -> None:
    def once() -> None:
        config = settings(target, work={"at": 5, "do": "kill"})
        assert run(build_config(config), run_id="r1", quiet=True, stderr=null) == 4

    with Path(os.devnull).open("w") as null:
        assert leaves_nothing(once)
