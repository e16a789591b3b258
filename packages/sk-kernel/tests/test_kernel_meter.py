"""What a meter measures, and that it adds up."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel import SECONDS_BOUNDS, Histogram, Totals
from sk_kernel.runtime import Meter


class Hands:
    """A clock that is moved by hand, and a meter that goes by it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.meter = Meter(lambda: self.now)

    def after(self, seconds: float) -> Meter:
        self.now += seconds
        return self.meter

    def times(self) -> tuple[float, float, float]:
        done = self.meter.totals()
        return done.busy_seconds, done.idle_seconds, done.backpressured_seconds


def test_time_is_idle_until_there_is_work_and_busy_until_it_is_done() -> None:
    hands = Hands()
    hands.after(1).work()
    hands.after(2).rest()
    hands.after(4)
    assert hands.times() == (2, 5, 0)


def test_waiting_for_credit_is_backpressure_where_there_is_nothing_to_do() -> None:
    hands = Hands()
    hands.after(1).hold()
    hands.after(2).work()
    hands.after(4).rest()
    hands.after(8).go_on()
    hands.after(16)
    assert hands.times() == (4, 17, 10)


def test_a_send_that_was_blocked_was_no_work() -> None:
    hands = Hands()
    hands.meter.work()
    hands.after(5).rest(3.0)
    hands.meter.work()
    hands.after(5).rest(4.0)
    assert hands.times() == (6, 0, 4)


def test_what_goes_on_is_told_before_it_ends() -> None:
    hands = Hands()
    hands.meter.work()
    hands.after(60)
    assert hands.times() == (60, 0, 0)


STEPS = st.lists(
    st.tuples(
        st.floats(0, 1e3),
        st.sampled_from(["work", "rest", "hold", "go_on", "look"]),
        st.floats(0, 1),
    ),
    max_size=40,
)


@given(STEPS)
def test_the_three_times_never_fall_and_together_are_all_the_time(steps: Any) -> None:
    """Whatever is said in whatever order, and however much of the work was blocked."""
    hands, blocked, seen = Hands(), 0.0, [(0.0, 0.0, 0.0)]
    for seconds, step, share in steps:
        meter = hands.after(seconds)
        if step == "rest":
            blocked += seconds * share
            meter.rest(blocked)
        elif step != "look":
            getattr(meter, step)()
        seen.append(hands.times())
    assert all(a <= b for one, two in pairwise(seen) for a, b in zip(one, two, strict=True))
    assert sum(seen[-1]) == pytest.approx(hands.now - 100)


@pytest.mark.parametrize("seconds", [0.0, *SECONDS_BOUNDS, 1e9])
def test_a_time_is_in_the_first_bucket_whose_bound_it_does_not_exceed(seconds: float) -> None:
    meter = Meter()
    meter.worked_off(seconds)
    batch = meter.totals().batch
    bounds = [*SECONDS_BOUNDS, float("inf")]
    assert batch.counts == tuple(int(b == min(x for x in bounds if x >= seconds)) for b in bounds)
    assert (batch.count, batch.sum) == (1, seconds)


def test_latency_is_from_the_reading_until_all_are_done_with_a_batch() -> None:
    hands = Hands()
    hands.meter.was_read(1)
    hands.after(2).was_read(2)
    hands.meter.was_read(3)
    hands.after(1).was_done(2)  # of 1 as well: it says how far
    latency = hands.meter.totals().latency
    assert (latency.count, latency.sum) == (2, 3 + 1)
    hands.after(9).was_done(2)
    assert hands.meter.totals().latency == latency
    hands.meter.was_done(3)
    assert hands.meter.totals().latency.sum == 4 + 10


counts = st.lists(st.integers(0, 9), min_size=17, max_size=17).map(tuple)
histograms = st.just(Histogram()) | st.builds(Histogram, counts, st.integers(0, 99).map(float))
whole = st.integers(0, 99)
totals = st.builds(
    Totals,
    records_in=whole,
    records_out=whole,
    busy_seconds=whole.map(float),
    batch=histograms,
    latency=histograms,
)


@given(totals, totals, totals)
def test_totals_add_up_in_any_order_and_nothing_adds_nothing(a: Any, b: Any, c: Any) -> None:
    assert (a + b) + c == a + (b + c) == c + a + b
    assert a + Totals() == a
    assert (a + b).batch.count == a.batch.count + b.batch.count
