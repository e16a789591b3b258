"""What workers measure, on its way to the status: nothing is lost, and nothing falls."""

from __future__ import annotations

import threading
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from sk_config import GroupConfig
from sk_control import Metering, Progress, decode, encode
from sk_kernel import Histogram, Totals
from sk_kernel import Progress as Done
from sk_kernel.runtime import Meter
from sk_supervisor._lives.lifecycle import Event
from sk_supervisor._protocol.metering import metering_of, totals_of
from sk_supervisor._worker.inbox import Credit
from supervisor_harness import meanwhile
from supervisor_scene import Scene

seconds = st.integers(0, 999).map(float)
histograms = st.just(Histogram()) | st.builds(
    Histogram, st.lists(st.integers(0, 9), min_size=1, max_size=17).map(tuple), seconds
)
measured = st.builds(
    Totals,
    busy_seconds=seconds,
    idle_seconds=seconds,
    backpressured_seconds=seconds,
    cpu_seconds=seconds,
    batch=histograms,
    latency=histograms,
)


@given(measured, st.none() | st.integers(0, 99))
def test_what_a_worker_measured_arrives_whole(done: Totals, credit: int | None) -> None:
    said = decode(*encode(Progress(metering=metering_of(done, done.cpu_seconds, credit))))
    assert isinstance(said, Progress)
    assert said.metering is not None
    assert totals_of(said.metering, Done(group="a")) == done
    assert said.metering.credit == credit


def place(scene: Scene) -> Totals:
    [worker] = scene.roster.snapshot(scene.now)[0].workers
    return worker.totals


@given(st.lists(st.lists(st.integers(0, 50), max_size=4), min_size=1, max_size=4))
def test_the_totals_of_a_place_never_fall_whoever_is_in_it(lives: list[list[int]]) -> None:
    """Each incarnation counts from nought, and says so as often as it likes."""
    scene = Scene("a-0.1")
    seen = [place(scene)]
    for number, steps in enumerate(lives, 1):
        if number > 1:
            scene.spawn(
                f"a-0.{number}", GroupConfig(name="a-0.1", **scene.group), incarnation=number
            )
        records = 0
        for step in steps:
            records += step
            metering = Metering(busy_seconds=records / 4, batch_counts=(records,))
            said = Progress(records, records * 2, skipped=records, metering=metering)
            scene.says(said, f"a-0.{number}")
            seen.append(place(scene))
        scene.roster.apply(scene.record(f"a-0.{number}"), Event.EXITED)
        seen.append(place(scene))
    everything = sum(map(sum, lives))
    last = seen[-1]
    assert (last.records_in, last.records_out, last.skipped) == (
        everything,
        everything * 2,
        everything,
    )
    assert (last.busy_seconds, last.batch.count) == (everything / 4, everything)
    for before, after in pairwise(seen):
        assert before.records_in <= after.records_in
        assert before.records_out <= after.records_out
        assert before.busy_seconds <= after.busy_seconds
        assert before.batch.count <= after.batch.count


def test_a_worker_that_says_nothing_of_its_time_keeps_what_it_said_before() -> None:
    scene = Scene()
    scene.says(Progress(5, metering=Metering(busy_seconds=5.0, credit=2)))
    scene.says(Progress(6))
    [worker] = scene.roster.snapshot(scene.now)[0].workers
    assert (worker.totals.busy_seconds, worker.credit, worker.records_in) == (5, 2, 6)


def test_credit_is_what_may_still_be_read() -> None:
    credit = Credit(3)
    left = [credit.left]
    for epoch in (1, 2, 3):
        credit.wait_for(epoch)
        left.append(credit.left)
    credit.acknowledge(2)
    assert [*left, credit.left] == [3, 2, 1, 0, 2]


def test_the_last_credit_can_be_waited_for_and_is_measured_by_then() -> None:
    meter = Meter()
    credit = Credit(2, meter)
    for epoch in (1, 2):
        credit.wait_for(epoch)
        meter.was_read(epoch)
    credit.settle(0)
    assert meter.totals().latency.count == 0
    seen: list[int] = []

    def wait() -> None:
        credit.settle(30)
        seen.append(meter.totals().latency.count)

    waiter = threading.Thread(target=wait)
    waiter.start()
    credit.acknowledge(1)
    credit.acknowledge(2)
    waiter.join()
    assert seen == [2]


def test_a_source_without_credit_is_held_until_there_is_some() -> None:
    held, free = threading.Event(), threading.Event()

    class Heard(Meter):
        def hold(self) -> None:
            super().hold()
            held.set()

        def go_on(self) -> None:
            super().go_on()
            free.set()

    meter = Heard()
    credit = Credit(1, meter)
    credit.wait_for(1)
    meter.was_read(1)
    with meanwhile(credit.wait_for, 2):
        assert held.wait(30)
        assert not free.is_set()
        credit.acknowledge(1)
        assert free.wait(30)
    done = meter.totals()
    assert done.backpressured_seconds > 0
    assert (done.latency.count, done.busy_seconds) == (1, 0)
