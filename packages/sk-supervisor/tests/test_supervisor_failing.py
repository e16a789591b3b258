"""How a failure is found, told and settled, in the one loop: with a clock that moves when told."""

from __future__ import annotations

from typing import Any, cast

import pytest
from sk_config import GroupConfig
from sk_control import Failed, Heartbeat, Progress, Ready
from sk_kernel import Totals, WorkerStatus
from sk_supervisor import RuntimeWorkerFailedError
from sk_supervisor._lives.ladder import Rung
from sk_supervisor._lives.lifecycle import Event, State
from sk_supervisor._loop.loop_events import ProcessExited
from supervisor_scene import Process, Scene


def status_of(scene: Scene, now: float) -> WorkerStatus:
    """The one worker's."""
    record = scene.record()
    return record.status(now, Totals(), record.progress)


def running(**group: Any) -> Scene:
    """A worker that runs."""
    scene = Scene("a", **group)
    scene.says(Ready())
    scene.roster.apply(scene.record(), Event.GATE_OPENED)
    return scene


def told(scene: Scene) -> RuntimeWorkerFailedError:
    """The error that the run would end with."""
    error = scene.causes.error()
    assert isinstance(error, RuntimeWorkerFailedError)
    return error


@pytest.mark.parametrize(
    ("first", "second", "vitals"),
    [
        (("sleeping", 1.0), ("sleeping", 1.0), "idle"),
        (("running", 1.0), ("running", 1.9), "busy"),
        (("running", 1.0), ("stopped", 1.1), "stopped"),
        (("running", 1.0), ("", 0.0), "gone"),
    ],
)
def test_the_two_looks_at_a_silent_worker_tell_what_it_does(
    first: tuple[str, float], second: tuple[str, float], vitals: str
) -> None:
    scene = running()
    scene.looks = {2.0: first, 3.0: second}
    scene.at(3.0)
    assert (told(scene).category, told(scene).vitals) == ("heartbeat", vitals)
    [failed] = [e for e in scene.log.events() if e.name == "worker_failed"]
    assert failed.fields["vitals"] == vitals


def test_a_worker_that_is_heard_is_never_looked_at() -> None:
    scene = running()
    for now in range(1, 30):
        scene.at(float(now))
        scene.says(Heartbeat())
        scene.says(Progress(batches=now, waiting=1))
    assert scene.looked_at == []
    assert scene.causes.failed is None


def stand_still(scene: Scene, until: float) -> None:
    """Beat, and say every second that nothing has been done of three batches."""
    while scene.now < until and scene.record().state is State.RUNNING:
        scene.at(scene.now + 1)
        scene.says(Progress(7, 6, 5, waiting=3, position="n (nodes.py, line 3)"))


def test_a_stall_is_reported_once_and_so_is_its_end() -> None:
    scene = running(stuck_after_seconds=10)
    scene.says(Progress(7, 6, 5, waiting=3))
    stand_still(scene, 30)
    assert status_of(scene, scene.now).stuck
    scene.says(Progress(8, 7, 6, waiting=2))
    told = [e for e in scene.log.events() if e.name in ("worker_stuck", "worker_unstuck")]
    assert [(e.name, e.fields["seconds"]) for e in told] == [
        ("worker_stuck", 10.0),
        ("worker_unstuck", 30.0),
    ]
    at = "n (nodes.py, line 3)"
    assert told[0].fields == {"seconds": 10.0, "waiting": 3, "vitals": "idle", "position": at}
    assert scene.causes.failed is None
    assert not status_of(scene, scene.now).stuck


def test_a_stall_fails_the_worker_where_its_group_says_so() -> None:
    scene = running(stuck_after_seconds=10, on_stuck="fail")
    stand_still(scene, 60)
    error = told(scene)
    assert (error.category, error.vitals, error.batches) == ("stuck", "idle", 5)
    assert error.position == "n (nodes.py, line 3)"
    assert error.message == (
        "no progress for 10.0 s (stuck_after_seconds: 10) with 3 items of work at hand,"
        " in n (nodes.py, line 3): its process is idle"
    )
    assert scene.names()[-2:] == ["worker_stuck", "worker_failed"]


def test_before_the_gate_nobody_is_stuck() -> None:
    scene = Scene("a", stuck_after_seconds=5, on_stuck="fail")
    scene.says(Ready())
    for now in range(1, 20):
        scene.at(float(now))
        scene.says(Progress(waiting=1))
    assert scene.causes.failed is None


def test_who_was_asked_to_stop_is_neither_silent_nor_stuck_nor_overdue() -> None:
    scene = Scene("a", "b", stuck_after_seconds=2, on_stuck="fail")
    scene.says(Ready(), "a")
    for worker in ("a", "b"):
        scene.roster.apply(scene.record(worker), Event.STOP_ASKED)
    scene.at(100)
    scene.says(Progress(waiting=1))
    assert scene.causes.failed is None
    assert {r.state for r in scene.roster} == {State.STOPPING}


def test_the_first_reason_of_a_failure_is_kept_with_its_evidence() -> None:
    scene = running()
    scene.says(Progress(10, 9, 2))
    scene.says(Failed("execution", "n", "ValueError", "it raised"))
    cast("Process", scene.record().process).end = "exit code 1"
    scene.says(Progress(20, 20, 4))
    scene.take(ProcessExited("a"))
    error = told(scene)
    assert (error.category, error.ended, error.records_in, error.batches) == (
        "execution",
        "",
        10,
        2,
    )
    assert scene.names().count("worker_failed") == 1


def test_an_exit_that_nobody_heard_of_is_a_crash_when_the_worker_is_let_go() -> None:
    scene = running()
    cast("Process", scene.record().process).end = "signal SIGSEGV"
    scene.roster.released(scene.record())
    assert scene.names()[-2:] == ["worker_failed", "worker_stopped"]
    failed, stopped = [e for e in scene.log.events() if e.worker][-2:]
    assert (failed.fields["category"], failed.fields["ended"]) == ("crash", "signal SIGSEGV")
    assert (stopped.fields["mode"], stopped.fields["rung"]) == ("exited", "none")


@pytest.mark.contract("STOP-IPC-03")
def test_the_stop_of_a_group_is_told_once_in_the_worst_of_its_workers_modes() -> None:
    scene = Scene()
    group = GroupConfig(name="g", nodes=("n",))
    workers = [scene.spawn(f"g-{index}.1", group, index=index) for index in range(3)]
    for record, rung in zip(workers, (Rung.STOP, Rung.KILL, Rung.STOP), strict=True):
        record.rung = rung
        scene.roster.apply(record, Event.STOP_ASKED)
    for _ in range(2):
        for index in range(3):
            scene.take(ProcessExited(f"g-{index}.1"))
    told = [(e.name, e.fields) for e in scene.log.events() if e.group == "g" and not e.worker]
    assert told == [
        ("group_stopping", {"workers": 3}),
        ("group_stopped", {"workers": 3, "mode": "forced"}),
    ]


def test_a_successor_takes_the_place_of_one_that_failed_and_begins_a_life_of_its_own() -> None:
    scene = running()
    first = scene.record()
    scene.take(ProcessExited("a"))
    assert scene.roster.snapshot(scene.now)[0].state == "failed"
    scene.roster.released(first, followed=True)
    second = scene.spawn("a.2", first.group, incarnation=2)
    [group] = scene.roster.snapshot(scene.now)
    assert (group.state, group.restarts, len(group.workers)) == ("starting", 1, 1)
    assert (group.workers[0].worker_id, group.workers[0].incarnation) == ("a.2", 2)
    assert list(scene.roster) == [second]
    scene.says(Ready(), "a")  # late, of the first one
    assert (first.state, second.state) == (State.STOPPED, State.STARTING)
    scene.says(Ready(), "a.2")
    told = [e.name for e in scene.log.events() if e.group == "a" and not e.worker]
    assert told == ["group_ready", "group_running", "group_failed", "group_ready"]


def test_what_nobody_may_be_shown_is_masked_in_whatever_a_worker_says_of_its_failure() -> None:
    scene = Scene("a", hidden="hunter2-and-a-half")
    scene.says(Failed("start", "", "ValueError", "cannot log in with hunter2-and-a-half"))
    assert "hunter2" not in str(told(scene)) + repr(scene.log.events())
    assert told(scene).message == "cannot log in with **********"


def test_the_status_of_a_worker_has_its_ages() -> None:
    scene = running()
    before = status_of(scene, 2.0)
    assert (before.age_seconds, before.progress_age_seconds) == (2.0, None)
    scene.at(2.0)
    scene.says(Progress(1, 1, 1))
    scene.at(3.0)
    scene.says(Heartbeat())
    after = status_of(scene, 4.5)
    ages = (after.age_seconds, after.progress_age_seconds, after.heard_age_seconds)
    assert ages == (4.5, 2.5, 1.5)
