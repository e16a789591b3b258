"""In the memory profile a suspension of the process takes nothing of the time of a stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest
from asked_app import Ask
from asking import asked
from sk_kernel import Envelope
from sk_supervisor import prepare
from sk_supervisor._lives.clock import LoopClock
from sk_supervisor._memory.gateway import LocalGateway
from sk_supervisor._memory.requests import LocalRequests
from sk_supervisor._memory.stop_times import StopTimes
from sk_supervisor._memory.waits import SharedClock, passes
from sk_supervisor._system.signals import BreakIn
from supervisor_harness import PATIENCE

SUSPENDED = 100.0


class FalseTime(threading.Event):
    """Time passes only in waits; the process is suspended as the ``nth`` of them begins."""

    def __init__(self, nth: int) -> None:
        super().__init__()
        self._left, self.now, self.awake = nth, 0.0, 0.0

    def clock(self) -> LoopClock:
        return SharedClock(lambda: self.now, lambda: 0.0)

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self._left -= 1
        suspended = 0.0 if self._left else SUSPENDED
        self.now += max(timeout, suspended)
        self.awake += max(timeout - suspended, 0.0)
        return self.is_set()


class Heard(BreakIn):
    """Keeps for how long the process was awake when the work was interrupted."""

    def __init__(self, time: FalseTime) -> None:
        super().__init__()
        self._time, self.came, self.awake = time, threading.Event(), 0.0

    def __call__(self, leave: Callable[[], None] | None = None) -> None:
        self.awake = self._time.awake
        self.came.set()


@pytest.mark.parametrize("nth", [1, 4])
def test_work_is_interrupted_only_when_it_had_the_whole_budget_of_the_stop(nth: int) -> None:
    time = FalseTime(nth)
    times = StopTimes(6.0, clock=time.clock, ended=time)
    times.break_in = heard = Heard(time)
    times.begin()
    assert heard.came.wait(PATIENCE)
    times.end()
    assert (heard.awake, times.over) == (6.0, True)


def test_a_read_is_broken_off_only_when_it_had_a_second_after_its_interrupt() -> None:
    time = FalseTime(1)
    times = StopTimes(6.0, clock=time.clock, ended=time)
    times.break_in = heard = Heard(time)
    times.leave_soon(lambda: None)
    assert heard.came.wait(PATIENCE)
    times.end()
    assert (heard.awake, times.over) == (1.0, False)


class Settling(LocalRequests):
    """Requests that nobody answers, on a false time."""

    def __init__(self, time: FalseTime) -> None:
        super().__init__(prepare(asked(None)), "r1", lambda *_: None, clock=time.clock)
        self._time = time
        gateway = SimpleNamespace(dispatch=lambda *_: None, close=lambda: None)
        self.handoff.open(cast("LocalGateway", gateway))

    def _await_settled(self, timeout: float | None) -> None:
        self._time.wait(timeout)


def test_requests_have_the_whole_time_of_a_drain_to_be_answered() -> None:
    time = FalseTime(2)
    requests = Settling(time)
    waiter = requests.handoff.request(Envelope(Ask(1)))
    requests.settle(5.0)
    assert waiter.done()
    assert time.awake == 5.0
    requests.close()


def test_a_wait_that_is_woken_has_not_passed() -> None:
    woken = iter([False, True])
    assert not passes(10.0, lambda _: next(woken), LoopClock(lambda: 0.0))


def test_time_in_which_nodes_hold_the_interpreter_has_passed() -> None:
    now = 0.0
    waits = iter(range(2))

    def ends_late(seconds: float) -> bool:
        nonlocal now
        next(waits)  # there are no more than these
        now += seconds + 4.0
        return False

    assert passes(10.0, ends_late, SharedClock(lambda: now, lambda: now))
    assert now == 10.0
