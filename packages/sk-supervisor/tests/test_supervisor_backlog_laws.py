"""What waits in a worker: laws of what is begun, in which order, and of what is not begun."""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from sk_kernel.runtime import Visit
from sk_supervisor._worker.backlog import MOST_TOGETHER, Backlog, Pace


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
    pace = Pace(least)
    for each in seconds:
        pace.ran(each)
        assert least <= pace.most <= MOST_TOGETHER
        assert 0 <= pace.took <= max(seconds)


def test_what_takes_long_together_is_run_by_fewer_and_what_is_short_by_more() -> None:
    pace = Pace()
    for _ in range(10):
        pace.ran(0.3)
    assert pace.most == 1
    for _ in range(10):
        pace.ran(0.001)
    assert pace.most == MOST_TOGETHER
