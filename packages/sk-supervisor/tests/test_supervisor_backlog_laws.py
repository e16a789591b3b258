"""What waits in a worker: laws of what is begun, in which order, and of what is not begun."""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

from hypothesis import assume, given
from hypothesis import strategies as st
from sk_kernel.runtime import Visit
from sk_supervisor._worker.backlog import MOST_TOGETHER, AdaptiveLimit, Backlog


class Come(NamedTuple):
    """Visits of one frame: when it came, and the time that each request has left then."""

    after: float
    left: list[float]


class Taken(NamedTuple):
    """Some were asked for then."""

    after: float
    most: int
    took: float


seconds = st.floats(0, 4)
left = st.one_of(st.floats(-1, 10), st.just(math.inf))
steps = st.lists(
    st.one_of(
        st.builds(Come, seconds, st.lists(left, min_size=1, max_size=4)),
        st.builds(Taken, seconds, st.integers(1, 5), st.floats(0, 3)),
    ),
    max_size=30,
)


def _visit(number: int, due: float) -> Visit:
    return Visit(f"r{number}", 1, None, number, None, due=due)  # type: ignore[arg-type]


class World:
    """A backlog, and what a reader of its promises expects of it."""

    def __init__(self, *, ordered: bool) -> None:
        self.backlog, self.ordered = Backlog(ordered=ordered), ordered
        self.now = 100.0
        self.came: dict[int, float] = {}
        self.due: dict[int, float] = {}
        self.waiting: list[int] = []
        self.gone: Counter[int] = Counter()

    def do(self, step: Come | Taken) -> None:
        self.now += step.after
        if isinstance(step, Come):
            visits = []
            for each in step.left:
                number = len(self.came)
                self.came[number], self.due[number] = self.now, self.now + each
                self.waiting.append(number)
                # Two records of each request, which are begun together.
                visits += [_visit(number, self.now + each)] * 2
            self.backlog.put(visits, self.now)
        else:
            self._take(step)
        assert len(self.backlog) == len(self.waiting)

    def _take(self, step: Taken) -> None:
        chosen, late = self.backlog.take(step.most, self.now, step.took)
        begun = [some[0].key for some in chosen]
        assert all(
            [v.key for v in some] == [key, key] for some, key in zip(chosen, begun, strict=True)
        )
        left_out = list(dict.fromkeys(visit.key for visit in late))
        assert len(begun) <= step.most
        assert begun == sorted(begun)  # as they came
        for number in left_out:
            assert self.now >= self.due[number] or self._stands(number)
        for number in begun:
            assert self.now < self.due[number]
        for number in [*begun, *left_out]:
            self.gone[number] += 1
            self.waiting.remove(number)
        assert len(begun) == step.most or not self.waiting  # none waits where there is room
        oldest_first = self.ordered or not any(map(self._stands, [*begun, *self.waiting]))
        if begun and self.waiting:
            if oldest_first:
                assert max(begun) < min(self.waiting)
            elif min(self.waiting) < min(begun):
                assert max(self.waiting) < min(begun)

    def _stands(self, number: int) -> bool:
        return self.now - self.came[number] > self.due[number] - self.now


@given(steps, st.booleans())
def test_each_is_begun_in_time_or_left_out_and_once(
    steps: list[Come | Taken], ordered: bool
) -> None:
    world = World(ordered=ordered)
    for step in steps:
        world.do(step)
    world.do(Taken(0.0, len(world.came) + 1, 0.0))
    assert world.gone == Counter(dict.fromkeys(world.came, 1))


class Looked(float):
    """Until when a request is of use; counts how often that is looked at."""

    times = 0

    def __sub__(self, now: float) -> float:
        Looked.times += 1
        return float(self) - now


@given(steps, st.booleans())
def test_what_each_costs_does_not_grow_with_what_waits(
    steps: list[Come | Taken], ordered: bool
) -> None:
    """All that waits is looked at some times for each that has come, and each that was asked for.

    So it is for whatever comes and is asked for, and so for many as for few.
    """
    backlog, now, come, taken = Backlog(ordered=ordered), 100.0, 0, 0
    Looked.times = 0
    for step in steps * 8:
        now += step.after
        if isinstance(step, Come):
            for each in step.left:
                backlog.put([_visit(come, Looked(now + each))], now)
                come += 1
        else:
            backlog.take(step.most, now, step.took)
            taken += 1
    assert Looked.times <= 6 * come + 5 * taken


def test_a_few_of_very_many_are_taken_at_the_cost_of_a_few() -> None:
    backlog = Backlog(ordered=False)
    for number in range(10_000):
        backlog.put([_visit(number, Looked(130.0 + number))], 100.0)
    backlog.take(10, 120.0, 0.0)  # the oldest has waited for long
    Looked.times = 0
    for _ in range(100):
        backlog.take(10, 120.0, 0.0)
    assert Looked.times <= 100 * 30


def _is_late(came: float, due: float, now: float, took: float) -> bool:
    """As it is promised: its time is over, or as good as over where it has waited for longer."""
    waited, left = now - came, due - now
    return left <= 0 or (waited > left and (left < waited / 8 or left < took))


@given(
    st.lists(st.tuples(seconds, st.integers(0, 4), st.integers(0, 3)), max_size=40),
    st.floats(0, 8),
    st.floats(0, 3),
    st.booleans(),
)
def test_where_all_have_the_same_time_all_that_is_late_leaves_at_once(
    frames: list[tuple[float, int, int]], patience: float, took: float, ordered: bool
) -> None:
    backlog, now, waiting = Backlog(ordered=ordered), 100.0, dict[int, float]()
    number = 0
    for after, come, most in frames:
        now += after
        for _ in range(come):
            backlog.put([_visit(number, now + patience)], now)
            waiting[number] = now
            number += 1
        chosen, late = backlog.take(most, now, took)
        for visit in [*(visit for some in chosen for visit in some), *late]:
            del waiting[visit.key]  # type: ignore[arg-type]
        assert not any(_is_late(came, came + patience, now, took) for came in waiting.values())


@given(
    st.lists(st.tuples(st.floats(1, 10), st.floats(0, 4)), min_size=5, max_size=30),
    st.integers(1, 5),
    seconds,
)
def test_what_is_late_anywhere_has_left_when_as_many_have_as_there_were(
    waits: list[tuple[float, float]], most: int, after: float
) -> None:
    """Behind one that has waited for longer than it has time left: more than can be done."""
    backlog, due, came = Backlog(ordered=False), dict[int, float](), dict[int, float]()
    backlog.put([_visit(0, 140.0)], 100.0)  # this one, to the end
    now = 125.0
    for number, (each, waited) in enumerate(waits, 1):
        came[number], due[number] = now - waited, now + each
        backlog.put([_visit(number, due[number])], came[number])
    assert backlog.take(0, now, 0.0) == ([], [])  # all of it is looked through, and none is late
    now += after
    # Else the first one too is begun, since there is room for it.
    assume(sum(not _is_late(came[n], due[n], now, 0.0) for n in due) >= most)
    many, newest, gone = len(backlog), len(waits), 0
    while gone < many:  # each that leaves is followed by one that has come now
        chosen, late = backlog.take(most, now, 0.0)
        assert all(some[0].key != 0 for some in chosen)
        for visit in [*(visit for some in chosen for visit in some), *late]:
            gone += 1
            due.pop(visit.key, None)  # type: ignore[call-overload]
            newest += 1
            backlog.put([_visit(newest, now + 8.0)], now)
    for visit in backlog.take(0, now, 0.0)[1]:
        due.pop(visit.key, None)  # type: ignore[call-overload]
    assert not any(_is_late(came[number], due[number], now, 0.0) for number in due)


def test_of_the_newest_the_older_is_begun_first() -> None:
    backlog = Backlog(ordered=False)
    for number, (came, due) in enumerate([(100.0, 140.0), (120.0, 160.0), (122.0, 162.0)]):
        backlog.put([_visit(number, due)], came)
    chosen, late = backlog.take(2, 125.0, 0.0)  # the first has waited for longer than it has left
    assert ([some[0].key for some in chosen], late) == ([1, 2], [])


def test_where_more_comes_than_can_be_done_what_is_begun_has_time_left() -> None:
    """Twice as many as can be done: in the long run each that is begun could be answered."""
    for ordered in (True, False):
        backlog, now, begun = Backlog(ordered=ordered), 0.0, list[float]()
        for number in range(2_000):
            now = number * 0.005
            backlog.put([_visit(number, now + 0.3)], now)
            if number % 2:
                (chosen,), _ = backlog.take(1, now, 0.01)
                begun.append(chosen[0].due - now)
        assert min(begun) > 0.03


@given(st.lists(st.floats(0, 0.1), max_size=50), st.sampled_from([1, 64]))
def test_there_are_always_some_to_be_run_and_never_too_many(
    seconds: list[float], least: int
) -> None:
    limit = AdaptiveLimit(least)
    for each in seconds:
        limit.ran(each)
        assert least <= limit.most <= MOST_TOGETHER
        assert 0 <= limit.took <= max(seconds)


def test_what_takes_long_together_is_run_by_fewer_and_what_is_short_by_more() -> None:
    limit = AdaptiveLimit()
    for _ in range(10):
        limit.ran(0.3)
    assert limit.most == 1
    for _ in range(10):
        limit.ran(0.001)
    assert limit.most == MOST_TOGETHER
