"""The stop ladder, taken with workers that are not there, by a clock that moves when told."""

from __future__ import annotations

from collections.abc import Collection
from signal import SIGKILL, SIGTERM, Signals
from typing import cast

import pytest
from sk_control import ControlMessage, Ready, Stop
from sk_supervisor._lives.evidence import Breakage
from sk_supervisor._lives.ladder import Ladder, Rung
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._loop.loop_events import Ping
from sk_supervisor._processes.process import WorkerProcess
from sk_supervisor._stop.stopping import Stopping
from supervisor_scene import Process, Scene

BUDGET = 4


class Signalled(Process):
    """Ends by these signals; when each came is put down."""

    def __init__(
        self, scene: Scene, deadly: Collection[Signals], came: list[tuple[float, Signals]]
    ) -> None:
        super().__init__()
        self._scene, self._deadly, self._came = scene, deadly, came

    def signal(self, number: Signals) -> None:
        self._came.append((self._scene.now, number))
        self.alive = number not in self._deadly


class Stopped:
    """Workers that were taken down the ladder: by which rung, and when they were signalled."""

    def __init__(
        self,
        deadly: Collection[Signals],
        *,
        leaves: bool = False,
        workers: str = "a",
        order: str = "",
        broke: str = "",
        starting: bool = False,
        has_session: bool = True,
        budget: float = BUDGET,
    ) -> None:
        self._scene = scene = Scene(*workers)
        self.signals: list[tuple[float, Signals]] = []
        self.asked: list[str] = []
        self._leaves, self._has_session = leaves, has_session
        for worker in workers:
            process = Signalled(scene, deadly, self.signals)
            scene.record(worker).process = cast("WorkerProcess", process)
            if not starting:
                scene.says(Ready(), worker)
            if broke:
                scene.roster.broke(scene.record(worker), Breakage(broke))
        scene.mailbox.put(Ping(self._go_on))
        stopping = Stopping(
            scene.roster,
            scene.loop,
            causes=scene.causes,
            log=scene.log,
            tell=self._told,
            order=order or workers,
        )
        self.rung = stopping.escalate(Ladder.within(budget, 0, drain=False), budget)
        self.seconds = scene.now

    def _told(self, record: WorkerRecord, message: ControlMessage) -> bool:
        if isinstance(message, Stop) and message.reason == "stop":
            self.asked.append(record.worker_id)
        if self._leaves:
            cast("Signalled", record.process).alive = False
        return self._has_session

    def _go_on(self) -> None:
        self._scene.now += 0.25
        self._scene.mailbox.put(Ping(self._go_on))


@pytest.mark.contract("P5PRE-SUP-03")
def test_a_worker_that_leaves_when_it_is_asked_to_is_not_signalled() -> None:
    stopped = Stopped((), leaves=True)
    assert (stopped.rung, stopped.signals, stopped.seconds) == (Rung.STOP, [], 0)


@pytest.mark.contract("P5PRE-LIFE-01")
def test_workers_are_asked_in_the_order_of_the_stream_and_not_in_that_of_their_start() -> None:
    assert Stopped((), leaves=True, workers="abc", order="cab").asked == ["c", "a", "b"]


@pytest.mark.contract("P5PRE-SUP-04")
def test_one_that_does_not_has_half_of_the_budget_and_is_terminated() -> None:
    stopped = Stopped([SIGTERM, SIGKILL])
    assert (stopped.rung, stopped.signals) == (Rung.TERMINATE, [(2, SIGTERM)])


@pytest.mark.contract("P5PRE-SUP-04")
def test_one_that_is_deaf_to_it_too_is_killed_a_quarter_of_the_budget_later() -> None:
    stopped = Stopped([SIGKILL])
    assert (stopped.rung, stopped.signals) == (Rung.KILL, [(2, SIGTERM), (3, SIGKILL)])


@pytest.mark.parametrize("category", ["heartbeat", "timeout", "stuck", "memory"])
def test_one_that_hangs_or_harms_is_not_asked_but_killed_at_once(category: str) -> None:
    stopped = Stopped([SIGKILL], broke=category)
    assert (stopped.asked, stopped.signals) == ([], [(0, SIGKILL)])
    assert stopped.rung == Rung.KILL


def test_one_that_failed_and_can_be_asked_is_asked() -> None:
    stopped = Stopped((), leaves=True, broke="execution")
    assert (stopped.asked, stopped.signals, stopped.rung) == (["a"], [], Rung.STOP)


@pytest.mark.parametrize(("starting", "rung"), [(True, Rung.NONE), (False, Rung.KILL)])
def test_one_without_a_session_is_killed_which_counts_only_if_it_had_something_to_lose(
    starting: bool, rung: Rung
) -> None:
    stopped = Stopped([SIGKILL], starting=starting, has_session=False)
    assert (stopped.signals, stopped.rung) == ([(0, SIGKILL)], rung)


def test_one_that_was_killed_and_ends_late_needed_no_lower_rung() -> None:
    stopped = Stopped([SIGTERM], broke="stuck")
    assert (stopped.signals, stopped.rung) == ([(0, SIGKILL), (2, SIGTERM)], Rung.KILL)


def test_a_signal_has_a_moment_to_take_effect_though_the_budget_is_spent() -> None:
    stopped = Stopped([SIGKILL], budget=0)
    assert stopped.signals == [(0.5, SIGTERM), (1, SIGKILL)]


@pytest.mark.contract("STOP-IPC-02")
def test_one_that_nothing_ends_is_waited_for_no_longer_than_the_budget() -> None:
    stopped = Stopped(())
    assert (stopped.rung, stopped.seconds) == (Rung.KILL, BUDGET)


@pytest.mark.contract("STOP-IPC-02")
def test_several_of_them_have_one_budget_together() -> None:
    stopped = Stopped([SIGKILL], workers="abc")
    assert stopped.signals == [*[(2, SIGTERM)] * 3, *[(3, SIGKILL)] * 3]
