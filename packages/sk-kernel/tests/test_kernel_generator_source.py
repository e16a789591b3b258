"""When a generator source gives what it has: no item waits for more than one slow one."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from sk_kernel._declare.adapted import GeneratorSource, unseen_after

MILLISECOND = 0.001
GAPS = st.lists(
    st.tuples(st.integers(1, 400), st.sampled_from([0, 1, 4, 11, 250, 60_000])), max_size=12
)


class Timed:
    """Items that come so many milliseconds after one another; each is the time at which it came."""

    def __init__(self, gaps: list[tuple[int, int]]) -> None:
        self.now = 0.0
        self.source = GeneratorSource(lambda: self._items(gaps), lambda: self.now)
        self.source.open()

    def _items(self, gaps: list[tuple[int, int]]) -> Iterator[float]:
        for times, gap in gaps:
            for _ in range(times):
                self.now += gap * MILLISECOND
                yield self.now

    def read(self, max_records: int = 1000) -> list[float]:
        return list(self.source.read(max_records, 1 << 20))


@given(gaps=GAPS, max_records=st.integers(1, 5000))
def test_a_read_ends_with_the_item_during_which_ten_milliseconds_are_over(
    gaps: list[tuple[int, int]], max_records: int
) -> None:
    """So an item is held for as long, and for as long as its successor takes, if one has begun."""
    timed = Timed(gaps)
    given_so_far = 0
    began = timed.now
    while items := timed.read(max_records):
        assert len(items) <= max_records
        late = [came for came in items if came - began > 10.5 * MILLISECOND]
        assert len(late) <= unseen_after(given_so_far)
        given_so_far += len(items)
        began = timed.now
    assert given_so_far == sum(times for times, _ in gaps)


@given(quick=st.integers(0, 10**9))
def test_few_of_what_came_without_a_pause_go_by_unseen(quick: int) -> None:
    assert 1 <= unseen_after(quick) <= min(1 + quick / 1000, 64)


def test_a_slow_item_behind_a_burst_brings_what_there_is_and_goes_on_alone() -> None:
    timed = Timed([(1500, 0), (5, 250)])
    burst: list[float] = []
    while timed.now == 0:
        burst += timed.read()
    assert len(burst) == 1501
    assert [len(timed.read()) for _ in range(5)] == [1, 1, 1, 1, 0]


def test_an_interrupt_ends_a_read_with_the_item_that_is_being_made() -> None:
    def items() -> Iterator[int]:
        yield from range(10)
        source.interrupt()
        yield from range(1000)

    source = GeneratorSource(items, lambda: 0.0)
    source.open()
    assert [len(source.read(1000, 1 << 20)) for _ in range(5)] == [1, 2, 4, 4, 0]
