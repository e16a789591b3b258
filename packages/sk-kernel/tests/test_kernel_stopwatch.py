"""The stopwatch of a profiled run: what is a stage's own, and what is measured where."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any

import pytest
from kernel_requests import BRANCHING
from kernel_requests import spec as served
from sk_kernel import NodeFailedError, NodeSpan
from sk_kernel.runtime import (
    ApplicationContext,
    BatchLimits,
    MemoryRun,
    Stage,
    Stopwatch,
    built_for_good,
)

MILLISECOND = 1_000_000

PIPELINE = """
OUT = []

@source()
def numbers() -> Iterator[A]:
    yield from (A(n) for n in range(1, 11))

@state(key=None)
class Seen:
    def __init__(self):
        self.total = 0

@node
def plain(a: A) -> B:
    return B(a.n)

@node
class Count:
    def __init__(self, seen: Seen): self.seen = seen
    def __call__(self, b: B) -> C:
        self.seen.total += b.n
        return C(b.n)

FAIL_AT = None

@node
class Tell:
    def __init__(self, seen: Seen): self.seen = seen
    def __call__(self, c: C) -> D:
        if c.n == FAIL_AT: raise ZeroDivisionError
        return D(f"{c.n}:{self.seen.total}")

@sink()
def out(d: D) -> None:
    OUT.append(d.text)
"""

LATE = """
OUT = []

@source(name="numbers")
class Late:
    def open(self) -> None:
        left = [[A(1)], []]
        self.read = lambda records, size: left.pop(0)
    def read(self, max_records: int, max_bytes: int) -> list[A]: ...
    def interrupt(self) -> None: ...

@sink()
def out(a: A) -> None:
    OUT.append(str(a.n))
"""


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


class Clocks:
    """A thread's processor time and the time on the wall."""

    def __init__(self) -> None:
        self.cpu, self.wall = Clock(), Clock()
        self.watch = Stopwatch(self.cpu, self.wall)

    def work(self, milliseconds: int) -> None:
        self.cpu.now += milliseconds * MILLISECOND
        self.wall.now += milliseconds * MILLISECOND

    def wait(self, milliseconds: int) -> None:
        self.wall.now += milliseconds * MILLISECOND

    def stages(self) -> dict[str, Stage]:
        return {stage.name: stage for stage in self.watch.stages()}


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def test_a_stage_has_its_work_and_apart_from_it_its_waiting(clocks: Clocks) -> None:
    def send() -> None:
        clocks.work(3)
        clocks.wait(4)

    timed = clocks.watch.timed("send", send)
    timed()
    timed()
    sent = clocks.stages()["send"]
    assert (sent.calls, sent.cpu_seconds, sent.wait_seconds) == (2, 0.006, 0.008)


def test_a_stage_within_another_is_taken_out_of_that_one(clocks: Clocks) -> None:
    sign = clocks.watch.timed("sign", lambda: clocks.work(2))

    def send() -> None:
        clocks.work(1)
        sign()
        sign()
        clocks.work(1)

    clocks.watch.timed("send", send)()
    stages = clocks.stages()
    assert (stages["sign"].cpu_seconds, stages["send"].cpu_seconds) == (0.004, 0.002)


def test_a_restart_forgets_what_was_before_it_of_stages_and_of_their_parts(clocks: Clocks) -> None:
    part = clocks.watch.part("unit", "node", lambda: clocks.work(2))
    unit = clocks.watch.timed("unit", part)
    unit()
    clocks.watch.restart()
    unit()
    (stage,) = clocks.watch.stages()
    assert (stage.name, stage.calls, stage.cpu_seconds) == (
        "node",
        1,
        pytest.approx(0.002, abs=1e-4),
    )


def test_a_stage_that_raises_is_measured_and_raises(clocks: Clocks) -> None:
    def fail() -> None:
        clocks.work(5)
        raise KeyError("no")

    with pytest.raises(KeyError):
        clocks.watch.timed("decode", fail)()
    assert clocks.stages()["decode"].cpu_seconds == 0.005


def test_nodes_that_run_as_one_share_its_time_as_they_took_theirs(clocks: Clocks) -> None:
    first = clocks.watch.part("both", "first", lambda: clocks.work(1))
    second = clocks.watch.part("both", "second", lambda: clocks.work(3))

    def both() -> None:
        first()
        second()
        clocks.work(4)  # the loop around them

    clocks.watch.timed("both", both)()
    stages = clocks.stages()
    assert (stages["first"].cpu_seconds, stages["second"].cpu_seconds) == (0.002, 0.006)


def test_built_for_good_is_frozen_when_complete_and_let_go_of_behind_it() -> None:
    assert gc.isenabled()
    with built_for_good() as complete:
        inside = gc.isenabled()
        complete()
        after, frozen = gc.isenabled(), gc.get_freeze_count()
    assert (inside, after, gc.isenabled(), gc.get_freeze_count()) == (False, True, True, 0)
    assert frozen > 0


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with built_for_good() as complete:
            complete()
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


def run(module: Any, spec_of: Any, stopwatch: Stopwatch | None = None) -> list[str]:
    limits = BatchLimits(max_records=4)
    MemoryRun(ApplicationContext(spec_of(module)), "r", limits=limits, stopwatch=stopwatch).run()
    return list(module.OUT)


def test_a_run_that_is_measured_does_the_same(declare: Any, spec_of: Any) -> None:
    measured, other = declare(PIPELINE), declare(PIPELINE)
    assert run(measured, spec_of, Stopwatch()) == run(other, spec_of)


@pytest.mark.parametrize("stopwatch", [None, Stopwatch()], ids=["plain", "measured"])
def test_a_run_that_only_serves_requests_is_complete_when_it_is_stopped_measured_or_not(
    declare: Any, stopwatch: Stopwatch | None
) -> None:
    context = ApplicationContext(served(declare(BRANCHING)))
    run = MemoryRun(context, "r", stopwatch=stopwatch, on_open=MemoryRun.stop)
    assert run.run().outcome == "completed"


@pytest.mark.parametrize("stopwatch", [None, Stopwatch()], ids=["plain", "measured"])
def test_a_source_that_makes_its_method_when_it_is_opened_is_read_by_it_measured_or_not(
    declare: Any, spec_of: Any, stopwatch: Stopwatch | None
) -> None:
    assert run(declare(LATE), spec_of, stopwatch) == ["1"]


def test_every_node_is_a_stage_those_that_share_state_too(declare: Any, spec_of: Any) -> None:
    watch = Stopwatch()
    run(declare(PIPELINE), spec_of, watch)
    calls = {stage.name: stage.calls for stage in watch.stages()}
    assert {name: calls[name] for name in ("count", "tell")} == {"count": 10, "tell": 10}
    assert {"source read", "plain", "sink write"} <= calls.keys()


class Slow:
    """An observer that works for 5 ms each time it is given spans."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self.calls = 0

    def on_spans(self, spans: Sequence[NodeSpan]) -> None:
        self._clocks.work(5)
        self.calls += 1

    def close(self) -> None:
        pass


def test_making_and_writing_spans_is_a_stage_of_its_own_and_no_node_s(
    clocks: Clocks, declare: Any, spec_of: Any
) -> None:
    slow = Slow(clocks)
    context = ApplicationContext(spec_of(declare(PIPELINE)))
    MemoryRun(context, "r", observers=[slow], stopwatch=clocks.watch).run()
    spent = {name: stage.cpu_seconds for name, stage in clocks.stages().items()}
    assert slow.calls > 0
    assert spent.pop("trace spans") == pytest.approx(0.005 * slow.calls)
    assert set(spent.values()) == {0.0}


def test_a_node_that_fails_is_named_with_its_record_when_measured(
    declare: Any, spec_of: Any
) -> None:
    module = declare(PIPELINE)
    module.FAIL_AT = 6
    with pytest.raises(NodeFailedError) as failed:
        run(module, spec_of, Stopwatch())
    assert (failed.value.node, failed.value.sequence) == ("tell", 6)
