"""A suspension of the supervisor (Ctrl-Z, a frozen container) counts against nobody's deadline."""

from __future__ import annotations

from pathlib import Path
from signal import Signals
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_config import build_config
from sk_control import Drained, DrainOutcome, Heartbeat, Ready, WorkerMessage
from sk_supervisor import StopTimeoutError, prepare
from sk_supervisor._lives.clock import LONGEST_WAIT_SECONDS, LoopClock, paused_seconds, wait_until
from sk_supervisor._lives.ladder import Ladder, Rung
from sk_supervisor._lives.lifecycle import State
from sk_supervisor._lives.successors import Successors
from sk_supervisor._loop.loop_events import Ping, StopRequested
from sk_supervisor._requests.expiry import RequestExpiry
from sk_supervisor._requests.handoff import Handoff
from sk_supervisor._session.session_handle import SessionHandle
from sk_supervisor._session.workload import Workload
from sk_supervisor._stop.draining import Draining
from sk_supervisor._stop.stopping import Stopping
from sk_supervisor._supervisor.waiting import Waiting
from supervisor_harness import ONE_GROUP, settings
from supervisor_scene import Scene

WAKE = Ping(lambda: None)


# ---- the clock ---------------------------------------------------------------------------------


@given(st.floats(0, 40), st.floats(0, 1000), st.lists(st.floats(0, 100), max_size=3))
def test_whenever_a_suspension_begins_all_of_it_is_left_out_and_little_more(
    began: float, paused: float, waits: list[float]
) -> None:
    until = wait_until(began, [began + wait for wait in waits])
    assert (until is None) == (not waits)
    if until is None:
        assert paused_seconds(began, until, began + paused) == 0
        return
    for stopped in (began, until):  # at the latest, the wait was over when it was stopped
        woke = stopped + paused
        left_out = paused_seconds(began, until, woke)
        assert left_out == 0 or paused <= left_out + 1e-9
        assert left_out <= paused + LONGEST_WAIT_SECONDS + 1e-9
        assert left_out > 0 or paused < 2 + 1e-9


def test_the_clock_stands_still_in_a_suspension_and_goes_on_after_it() -> None:
    times = iter([7.0, 50.0, 50.5])
    clock = LoopClock(lambda: next(times))
    began = clock.now()
    assert clock.waited(began, until=8.0) == 43
    assert clock.now() == 7.5
    assert (clock.paused, clock.of(50.5)) == (43, 7.5)


# ---- limits of workers -------------------------------------------------------------------------


def suspended(scene: Scene, seconds: float, *events: Any) -> None:
    scene.suspend(seconds, *(events or [WAKE]))
    scene.loop.step(None)
    assert "supervisor_paused" in scene.names(None)


def test_a_suspension_is_no_silence_and_silence_after_it_is() -> None:
    scene = Scene()
    scene.says(Ready())
    suspended(scene, 100)
    scene.at(102.5)
    assert scene.causes.failed is None
    scene.at(103.5)
    assert scene.record().breakage is not None


def test_a_suspension_takes_nothing_of_the_time_of_a_start() -> None:
    scene = Scene(start_timeout_seconds=30)
    scene.at(4)
    suspended(scene, 32)
    scene.at(61.5)
    assert scene.causes.failed is None
    scene.at(62)
    breakage = scene.record().breakage
    assert breakage is not None
    assert breakage.category == "timeout"


def test_a_message_that_comes_before_the_suspension_is_noticed_excuses_no_later_silence() -> None:
    """It is entered by another thread, whose reading of the clock still includes the suspension."""
    scene = Scene()
    scene.says(Ready())
    suspended(scene, 100, WorkerMessage("a", Heartbeat()))
    assert scene.record().silence.since == 0
    scene.at(103.5)
    assert scene.record().state is State.FAILED


# ---- requests ----------------------------------------------------------------------------------


def test_requests_expire_by_the_clock_of_their_callers() -> None:
    waiters = SimpleNamespace(next_due=lambda: 130.0)
    clock = LoopClock(lambda: 120.0)
    expiry = RequestExpiry(cast("Handoff", SimpleNamespace(waiters=waiters)), print, clock)
    assert expiry.due() == 130
    clock.paused = 100.0
    assert expiry.due() == 30


# ---- a stop ------------------------------------------------------------------------------------


class Drains(Scene):
    """A run that is asked to stop, of a worker that drains when ``drained`` says so."""

    def __init__(self) -> None:
        super().__init__()
        prepared = prepare(build_config(settings(Path("out.txt"), groups=ONE_GROUP)))
        work: Any = SimpleNamespace(
            is_open=True,
            committed=False,
            order=["a"],
            drain=lambda: None,
            late=lambda: ["a"],
            is_done=lambda **_: self.record().drained is not None,
        )
        handoff = Handoff(prepared.plan, prepared.config.runtime.platform, lambda: None)
        successors = Successors(
            [],
            "r1",
            log=self.log,
            roster=self.roster,
            clock=self.clock,
            spawn=lambda *_: None,
            blame=self.causes.blame,
            complete=lambda: False,
        )
        self.draining = Draining(
            prepared,
            log=self.log,
            clock=self.clock,
            causes=self.causes,
            work=cast("Workload", work),
            successors=successors,
            handoff=handoff,
        )
        self.waiting = Waiting(
            self.loop,
            causes=self.causes,
            roster=self.roster,
            session=SessionHandle(),
            work=work,
            handoff=handoff,
            draining=self.draining,
        )
        self.drained = WorkerMessage("a", Drained(DrainOutcome.STOPPED, 5, 5))
        self.says(Ready())
        self.take(StopRequested("a test"))
        self.draining.requested(force=False)


def test_a_suspension_takes_nothing_of_the_time_of_a_drain() -> None:
    run = Drains()
    run.suspend(1000, WAKE)
    run.mailbox.put(Ping(lambda: run.mailbox.put(run.drained)))  # it has not drained until then
    run.waiting.until_done()
    assert run.clock.paused == 1000


def test_a_drain_that_came_in_time_counts_though_it_is_read_after_the_deadline() -> None:
    run = Drains()
    run.now = run.draining.until + 0.5
    for event in (WAKE, WAKE, run.drained):
        run.mailbox.put(event)
    run.loop.step(run.now)
    run.waiting.until_done()


def test_a_drain_that_takes_too_long_is_ended() -> None:
    run = Drains()
    run.now = run.draining.until
    run.mailbox.put(WAKE)
    with pytest.raises(StopTimeoutError):
        run.waiting.until_done()


def test_a_suspension_takes_nothing_of_the_time_that_a_worker_has_to_leave() -> None:
    scene, signals = Scene(), list[int]()
    scene.says(Ready())
    process: Any = scene.record().process

    def signal(number: Signals) -> None:
        signals.append(number)

    def leave() -> None:
        process.alive = False

    process.signal = signal
    stopping = Stopping(
        scene.roster,
        scene.loop,
        causes=scene.causes,
        log=scene.log,
        tell=lambda *_: True,
        order="a",
    )
    scene.suspend(100, Ping(lambda: scene.mailbox.put(Ping(leave))))
    rung = stopping.escalate(Ladder.within(4, scene.clock.now(), drain=False), 4)
    assert (rung, signals) == (Rung.STOP, [])
