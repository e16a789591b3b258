"""What is answered to probes, and when a drain begins: decided without a process or a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_config import build_config
from sk_kernel import GroupStatus, RunStatus, WorkerStatus
from sk_supervisor import RunRefusedError, prepare
from sk_supervisor._health.pulse_check import ANSWER_SECONDS, PulseCheck, is_fresh
from sk_supervisor._health.results import YES, ProbeResult, live, ready, startup
from sk_supervisor._lives.ladder import Ladder
from sk_supervisor._stop.drain_timer import DrainTimer
from supervisor_harness import settings

GROUPS = ("in", "out")


def worker(*, is_ready: bool) -> WorkerStatus:
    return WorkerStatus(worker_id="w", pid=1, os_pid=1, alive=True, ready=is_ready, state="any")


def status(
    *readies: bool, state: str = "running", started: bool = True, gate: bool = True, stop: str = ""
) -> RunStatus:
    """A run of the first groups, ready or not, and so all in all by the supervisor's own rule."""
    groups = tuple(
        GroupStatus(name=name, state="any", workers=(worker(is_ready=is_ready),))
        for name, is_ready in zip(GROUPS, readies, strict=False)
    )
    return RunStatus(
        run_id="r",
        scenario="s",
        profile="p",
        state=state,
        ready=gate and readies == (True, True) and not stop,
        age_seconds=1.0,
        started=started,
        groups=groups,
        stop_reasons=(stop,) if stop else (),
    )


# ---- verdicts ----------------------------------------------------------------------------------


@pytest.mark.contract("P5PRE-READY-01")
@pytest.mark.parametrize(
    ("run", "reason", "missing"),
    [
        (status(state="stopped", started=False), "starting", ("in", "out")),
        (status(True, state="starting", started=False), "starting", ("out",)),
        (status(True, True, state="ready", started=False, gate=False), "starting", ()),
        (status(True, False), "not all groups are ready", ("out",)),
        (status(True, True, stop="SIGTERM"), "asked to stop", ()),
        (status(True, False, state="failed"), "failed", ("out",)),
        (status(False, False, state="stopping"), "stopping", ("in", "out")),
    ],
)
def test_a_run_that_is_not_ready_says_why_and_what_is_missing(
    run: RunStatus, reason: str, missing: tuple[str, ...]
) -> None:
    assert ready(run, GROUPS) == ProbeResult(False, reason, missing)


@pytest.mark.contract("P5PRE-READY-01")
def test_a_run_is_ready_when_all_groups_are_and_the_gate_is_open() -> None:
    assert ready(status(True, True), GROUPS) is YES


def test_a_start_stays_done_whatever_becomes_of_the_groups() -> None:
    assert startup(status(True, False, state="failed"), GROUPS) is YES
    assert startup(status(True, True, stop="SIGTERM"), GROUPS) is YES


def test_a_start_that_is_not_done_names_the_groups_that_are_missing() -> None:
    result = startup(status(True, started=False, gate=False), GROUPS)
    assert result == ProbeResult(False, "starting", ("out",))


def test_a_group_without_a_worker_is_missing() -> None:
    empty = RunStatus(
        run_id="r",
        scenario="s",
        profile="p",
        state="starting",
        ready=False,
        age_seconds=0.0,
        groups=(GroupStatus(name="in", state="starting"),),
    )
    assert startup(empty, GROUPS).missing == GROUPS


def test_a_loop_that_does_not_answer_is_not_alive() -> None:
    assert live(answered=True, within_seconds=1.0) is YES
    result = live(answered=False, within_seconds=1.0)
    assert (result.ok, result.reason) == (
        False,
        "the supervisor's loop has not answered for 1 s",
    )


# ---- the pulse ---------------------------------------------------------------------------------


@given(st.floats(-1e6, 1e6), st.floats(0, 10))
def test_an_answer_is_good_for_a_second_and_no_longer(answered_at: float, age: float) -> None:
    now = answered_at + age
    assert is_fresh(answered_at, now) == (now - answered_at < ANSWER_SECONDS)
    assert not is_fresh(-inf, now)


def test_however_many_ask_one_question_waits_in_the_loop_and_its_answer_is_for_all() -> None:
    asked: list[Callable[[], None]] = []
    now = [0.0]

    async def story() -> None:
        pulse = PulseCheck(asked.append, clock=lambda: now[0])
        probes = [asyncio.ensure_future(pulse.beats()) for _ in range(50)]
        await asyncio.sleep(0)
        assert len(asked) == 1
        asked[0]()
        assert await asyncio.gather(*probes) == [True] * 50
        now[0] = ANSWER_SECONDS - 0.1
        assert await pulse.beats()
        assert len(asked) == 1
        now[0] = ANSWER_SECONDS
        again = asyncio.ensure_future(pulse.beats())
        await asyncio.sleep(0)
        assert len(asked) == 2
        asked[1]()
        assert await again

    asyncio.run(story())


def test_a_loop_that_answers_late_is_taken_for_dead_until_it_does() -> None:
    asked: list[Callable[[], None]] = []

    async def story() -> None:
        pulse = PulseCheck(asked.append)
        assert not await pulse.beats()
        assert not await pulse.beats()
        assert len(asked) == 1
        asked[0]()
        await asyncio.sleep(0)
        assert await pulse.beats()

    asyncio.run(story())


def test_an_answer_that_nobody_waits_for_any_more_does_no_harm() -> None:
    asked: list[Callable[[], None]] = []

    async def story() -> None:
        pulse = PulseCheck(asked.append)
        probe = asyncio.ensure_future(pulse.beats())
        await asyncio.sleep(0)
        probe.cancel()

    asyncio.run(story())
    asked[0]()


# ---- the delay before the drain ----------------------------------------------------------------

SPANS = st.floats(0, 10_000, allow_nan=False)


@pytest.mark.contract("P5PRE-READY-01")
@given(SPANS, SPANS, SPANS)
def test_a_delay_comes_before_the_drain_and_takes_nothing_of_the_budget(
    budget: float, now: float, delay: float
) -> None:
    ladder = Ladder.within(budget, now, delay_seconds=delay)
    assert ladder.withdraw_until == now + delay
    assert ladder == Ladder.within(budget, now + delay)


@given(SPANS.filter(bool), SPANS)
def test_a_stop_by_force_withdraws_and_drains_nothing(seconds: float, now: float) -> None:
    ladder = Ladder.at_once(seconds, now)
    assert (ladder.withdraw_until, ladder.drain_until, ladder.terminate_until) == (now, now, now)
    assert ladder.kill_until == now + seconds


def test_a_drain_begins_once_at_its_time() -> None:
    begun: list[bool] = []
    drain = DrainTimer(lambda: begun.append(True))
    assert drain.due() is None
    drain.begin_at(5.0)
    assert (drain.due(), begun) == (5.0, [])
    drain.ring(5.0)
    assert (drain.due(), begun) == (None, [True])


def test_a_drain_whose_run_has_ended_otherwise_never_begins() -> None:
    drain = DrainTimer(lambda: None)
    drain.begin_at(5.0)
    drain.cancel()
    assert drain.due() is None


# ---- what is not installed ---------------------------------------------------------------------


def test_what_is_installed_is_no_fault(tmp_path: Path) -> None:
    health: dict[str, Any] = {"http": {}, "grpc": {}}
    try:
        prepare(build_config(settings(tmp_path / "out.txt", platform={"health": health})))
    except RunRefusedError as error:
        pytest.fail(str(error))
