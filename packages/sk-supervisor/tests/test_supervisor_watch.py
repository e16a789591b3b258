"""How the one loop judges what happens, with a clock that moves when told."""

from __future__ import annotations

from typing import Any, cast

import pytest
from sk_control import (
    Drained,
    DrainOutcome,
    Failed,
    Heartbeat,
    LossReason,
    Ready,
    WorkerLost,
    WorkerMessage,
)
from sk_supervisor import HubFailedError, RuntimeWorkerFailedError
from sk_supervisor._lives.lifecycle import Event, State
from sk_supervisor._loop.loop_events import HubFault, Ping, ProcessExited, StopRequested
from supervisor_scene import Process, Scene


def test_a_worker_that_beats_is_alive_and_a_silent_one_has_failed_after_three_intervals() -> None:
    scene = Scene("a", "b")
    scene.says(Ready(), "a")
    scene.says(Ready(), "b")
    for now in (1, 2, 2.9):
        scene.at(now)
        scene.says(Heartbeat(), "a")
    assert scene.causes.failed is None
    scene.at(3.1)
    assert scene.causes.failed is scene.record("b")
    error = scene.causes.error()
    assert isinstance(error, RuntimeWorkerFailedError)
    assert (error.category, error.vitals) == ("heartbeat", "idle")
    assert error.message == "no heartbeat for 3.1 s (3 x heartbeat_seconds: 1): its process is idle"


def test_a_flood_of_messages_hides_no_silence() -> None:
    scene = Scene("a", "b")
    scene.says(Ready(), "a")
    scene.says(Ready(), "b")
    for _ in range(100):
        scene.mailbox.put(WorkerMessage("a", Heartbeat()))
    for tick in range(1, 8):
        scene.now = tick / 2
        scene.mailbox.put(WorkerMessage("a", Heartbeat()))
        scene.loop.step(scene.now)
    assert scene.causes.failed is scene.record("b")


def test_a_turn_handles_what_has_come_and_no_flood_that_comes_meanwhile() -> None:
    scene, answered = Scene(), list[str]()

    def flood() -> None:
        answered.append("another")
        if len(answered) < 100:
            scene.mailbox.put(Ping(flood))

    for _ in range(3):
        scene.mailbox.put(Ping(flood))
    scene.loop.catch_up()
    assert len(answered) == 3


def test_a_word_counts_from_when_it_came_and_not_from_when_it_was_read() -> None:
    scene = Scene()
    scene.says(Ready())
    scene.now = 2.5
    scene.mailbox.put(WorkerMessage("a", Heartbeat()))
    scene.now = 3.2  # a loop that was busy elsewhere
    scene.loop.step(scene.now)
    assert scene.causes.failed is None
    assert scene.record().silence.since == 2.5


def test_all_that_has_come_is_handled_before_anybody_is_judged() -> None:
    scene = Scene("a", "b")
    scene.now = 4.9  # of the five seconds that a start may take
    scene.mailbox.put(WorkerMessage("a", Ready()))
    scene.mailbox.put(WorkerMessage("b", Ready()))
    scene.now = 5.1  # a loop that was busy elsewhere
    scene.loop.step(scene.now)
    assert scene.causes.failed is None
    assert scene.record("b").state is State.READY


@pytest.mark.contract("P5PRE-SUP-02")
def test_a_slow_start_is_judged_by_its_own_timeout_and_not_by_heartbeats() -> None:
    scene = Scene()
    scene.at(4.9)
    assert scene.causes.failed is None
    scene.at(5.1)
    error = scene.causes.error()
    assert isinstance(error, RuntimeWorkerFailedError)
    assert (error.category, error.message) == (
        "timeout",
        "not ready within 5 s (start_timeout_seconds: 5)",
    )


def test_a_lost_session_waits_for_the_exit_that_explains_it() -> None:
    scene = Scene()
    scene.says(Ready())
    scene.take(WorkerLost("a", LossReason.STREAM_ENDED))
    assert scene.causes.failed is None
    cast("Process", scene.record().process).end = "signal SIGKILL"
    scene.take(ProcessExited("a"))
    error = scene.causes.error()
    assert isinstance(error, RuntimeWorkerFailedError)
    lines = str(error).splitlines()
    assert lines[0] == "worker a of group a failed (crash): signal SIGKILL"
    assert lines[1] == "  the nodes of its group: n"
    assert lines[-1] == "  | last line"


def test_a_lost_session_without_an_exit_is_a_failure_after_a_second() -> None:
    scene = Scene()
    scene.says(Ready())
    scene.take(WorkerLost("a", LossReason.STREAM_ENDED))
    scene.at(1.1)
    error = scene.causes.error()
    assert isinstance(error, RuntimeWorkerFailedError)
    assert (error.category, error.message) == ("crash", "its control session was lost")


def test_a_worker_that_gets_no_bundle_fails_its_start_and_says_why() -> None:
    scene = Scene()
    scene.take(WorkerLost("a", LossReason.BUNDLE_FAILED, ValueError("too long")))
    error = scene.causes.error()
    assert isinstance(error, RuntimeWorkerFailedError)
    assert (error.category, error.message) == ("start", "it got no bundle: too long")


def test_the_first_failure_is_the_one_that_is_told() -> None:
    scene = Scene("a", "b")
    scene.says(Failed("execution", "node", "ValueError", "it raised"), "b")
    scene.take(ProcessExited("a"), ProcessExited("b"))
    error = scene.causes.error()
    assert isinstance(error, RuntimeWorkerFailedError)
    assert (error.worker, error.node, error.cause_type) == ("b", "node", "ValueError")
    assert str(error) == "worker b of group b failed (execution): it raised"
    assert [e.worker for e in scene.log.events() if e.name == "worker_failed"] == ["b", "a"]


def test_a_fault_of_the_hub_itself_is_no_workers() -> None:
    scene = Scene()
    scene.take(HubFault("", "accept", "no descriptors left"))
    assert isinstance(scene.causes.error(), HubFailedError)
    assert scene.causes.failed is None
    assert scene.causes.broken


def test_of_several_faults_of_the_hub_the_first_is_told() -> None:
    scene = Scene()
    scene.take(HubFault("", "accept", "no descriptors left"))
    scene.take(HubFault("", "internal", "OSError in hub relay"))
    assert "no descriptors left" in str(scene.causes.error())


def test_what_a_worker_sent_to_the_hub_is_its_own_fault() -> None:
    scene = Scene()
    scene.says(Ready())
    scene.take(HubFault("a", "protocol", "claims segment 9"))
    error = scene.causes.error()
    assert isinstance(error, RuntimeWorkerFailedError)
    assert (error.category, error.worker) == ("protocol", "a")


def says_what_it_never_said(worker: str) -> list[Any]:
    return [
        WorkerMessage(worker, Ready()),
        WorkerLost(worker, LossReason.STREAM_ENDED),
        ProcessExited(worker),
    ]


def test_strangers_are_ignored() -> None:
    scene = Scene()
    scene.take(*says_what_it_never_said("stranger"))
    assert scene.record().state is State.STARTING
    assert not scene.causes.broken


@pytest.mark.contract("STOP-IPC-03")
def test_late_and_repeated_words_change_nothing_and_emit_nothing() -> None:
    scene = Scene()
    scene.says(Ready())
    scene.roster.apply(scene.record(), Event.STOP_ASKED)
    scene.take(ProcessExited("a"), ProcessExited("a"))
    before = len(scene.log.events())
    scene.says(Failed("execution"))
    scene.says(Ready())
    scene.take(WorkerLost("a", LossReason.STREAM_ENDED))
    scene.at(10)
    assert len(scene.log.events()) == before
    assert scene.record().state is State.STOPPED


def test_only_who_says_so_forces_a_stop_however_often_it_is_requested() -> None:
    scene = Scene()
    scene.take(StopRequested("SIGTERM"), StopRequested("sk stop"))
    assert not scene.causes.forced
    scene.take(StopRequested("SIGINT", force=True))
    assert scene.causes.forced


@pytest.mark.parametrize(
    ("came", "told"),
    [
        ([("a", False), ("b", False)], [("a", False)]),
        ([("a", False), ("b", True), ("c", True)], [("a", False), ("b", True)]),
        ([("a", True), ("b", False), ("c", True)], [("a", True)]),
    ],
)
def test_the_first_request_to_stop_and_the_first_by_force_are_told_of_and_no_other(
    came: list[tuple[str, bool]], told: list[tuple[str, bool]]
) -> None:
    scene = Scene()
    scene.take(*(StopRequested(reason, force) for reason, force in came))
    facts = [e.fields for e in scene.log.events() if e.name == "stop_requested"]
    assert [(said["reason"], said["force"]) for said in facts] == told
    assert scene.causes.stops.reasons == tuple(reason for reason, _ in told)
    assert scene.stops == [force for _, force in told]


def test_what_has_happened_is_taken_in_without_waiting() -> None:
    scene = Scene()
    scene.mailbox.put(StopRequested("one"))
    scene.mailbox.put(StopRequested("two", force=True))
    scene.loop.catch_up()
    scene.loop.catch_up()
    assert scene.stops == [False, True]


def test_the_last_word_of_a_worker_is_its_progress() -> None:
    scene = Scene()
    scene.says(Ready(("out.partial",)))
    assert scene.record().unfinished_outputs() == ("out.partial",)
    scene.says(Drained(DrainOutcome.COMPLETE, 10, 9))
    progress = scene.record().progress
    assert (progress.records_in, progress.records_out) == (10, 9)
    assert scene.record().unfinished_outputs() == ()
