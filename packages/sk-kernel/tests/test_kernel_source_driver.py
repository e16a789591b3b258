"""What a source gives becomes batches within their limit, in order; or is an error of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel import AdapterFailedError
from sk_kernel._declare.adapted import GeneratorSource
from sk_kernel._declare.specs import Emission, PayloadType, SinkSpec, SourceSpec
from sk_kernel._graph.builder import build_graph
from sk_kernel.runtime import BatchLimits, Graph, SourceDriver, Stopwatch, TraceIds


class Row(msgspec.Struct, frozen=True):
    n: int


class Giving:
    """Gives what it is told to, read by read, whatever it is asked for; then nothing more."""

    def __init__(self, *reads: Any) -> None:
        self._reads = list(reads)

    def read(self, max_records: int, max_bytes: int) -> Any:
        return self._reads.pop(0) if self._reads else ()

    def interrupt(self) -> None:
        """Nothing blocks."""


def graph_of() -> Graph:
    types = Emission((PayloadType(Row, Row),))
    source = SourceSpec("in", list, True, None, types, None)
    return build_graph(source, SinkSpec("out", list, True, None, types, None), {})


GRAPH = graph_of()


def driver(source: Any, max_records: int = 1000) -> SourceDriver:
    limits = BatchLimits(max_records=max_records)
    made = SourceDriver(GRAPH, source, limits, TraceIds("r1"), sampling=False)
    made.open()
    return made


def batches(source: SourceDriver) -> list[tuple[range, Sequence[Any]]]:
    """Every batch to the end of input: its sequence numbers, and its payloads."""
    found = []
    while True:
        batch, payloads = source.read()
        if batch.final:
            return found
        found.append((range(batch.first, batch.last + 1), payloads))


@given(st.lists(st.integers(1, 90), max_size=8), st.integers(1, 40))
def test_a_batch_is_within_its_limit_whatever_a_read_gives(reads: list[int], most: int) -> None:
    rows = iter(range(sum(reads)))
    given_rows = [[Row(next(rows)) for _ in range(count)] for count in reads]
    found = batches(driver(Giving(*given_rows), most))
    assert all(len(payloads) <= most for _, payloads in found)
    assert [row for _, payloads in found for row in payloads] == list(chain(*given_rows))
    assert [n for numbers, _ in found for n in numbers] == list(range(1, sum(reads) + 1))


def test_what_was_read_and_is_more_than_a_batch_comes_before_a_stop() -> None:
    source = driver(Giving([Row(n) for n in range(5)]), max_records=2)
    source.read()
    source.interrupt()
    assert [len(payloads) for _, payloads in batches(source)] == [2, 1]


@pytest.mark.parametrize("given", [None, iter([Row(2)]), map(Row, ()), (Row(n) for n in "2")])
def test_what_has_no_length_could_not_end_the_input_and_is_refused(given: Any) -> None:
    source = driver(Giving([Row(1)], given))
    source.read()
    with pytest.raises(AdapterFailedError, match="this has no length: return a list") as caught:
        source.read()
    assert (caught.value.action, caught.value.cause_type) == ("read", type(given).__name__)


class Unsure(list[Row]):
    """As an array of numpy's: it has a length, and is neither true nor false."""

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")


def test_what_has_a_length_need_not_be_true_or_false() -> None:
    assert [len(payloads) for _, payloads in batches(driver(Giving(Unsure([Row(1)]))))] == [1]


class Endless(list[Row]):
    def __len__(self) -> int:
        raise KeyError("no length today")


def test_a_length_that_fails_is_the_source_s_failure() -> None:
    with pytest.raises(AdapterFailedError, match="source failed to read: KeyError"):
        driver(Giving(Endless())).read()


class Failing(Giving):
    """Gives two records at a time, and fails in the third read."""

    def read(self, max_records: int, max_bytes: int) -> Any:
        return super().read(max_records, max_bytes) or 1 / 0


def test_a_read_that_fails_says_after_how_many_records() -> None:
    source = driver(Failing([Row(1), Row(2)], [Row(3), Row(4)]))
    with pytest.raises(AdapterFailedError, match=r"read after 4 records: Zero") as caught:
        batches(source)
    assert caught.value.after == 4


def test_a_generator_that_fails_says_after_how_many_records_it_gave_itself() -> None:
    def rows() -> Iterator[Row]:
        yield from (Row(n) for n in range(5))
        raise ValueError

    with pytest.raises(AdapterFailedError, match=r"read after 5 records: ValueError"):
        batches(driver(GeneratorSource(rows, lambda: 0.0)))


class Refilling(Giving):
    """Gives one list all the time, which each read fills anew."""

    def __init__(self, *reads: Any) -> None:
        super().__init__(*reads)
        self._buffer: list[Any] = []

    def read(self, max_records: int, max_bytes: int) -> Any:
        self._buffer[:] = super().read(max_records, max_bytes)
        return self._buffer


def test_a_list_that_a_source_fills_anew_is_not_what_waits_for_the_nodes() -> None:
    """Over processes a thread reads ahead of them."""
    found = batches(driver(Refilling([Row(1), Row(2)], [Row(3)])))
    assert [payloads for _, payloads in found] == [[Row(1), Row(2)], [Row(3)]]


class Leaving:
    """A clock that leaves the source behind at its n-th look: within a read, or behind one."""

    def __init__(self, look: int) -> None:
        self._look = look
        self.leave: Any = None
        self.cut: list[Any] = []

    def __call__(self) -> int:
        self._look -= 1
        if self._look == 0:
            self.cut = self.leave()
        return 0


@pytest.mark.parametrize("look", range(1, 6))
def test_what_a_generator_has_yielded_is_passed_on_once_whenever_it_is_left_behind(
    look: int,
) -> None:
    yielded: list[int] = []

    def rows() -> Iterator[Row]:
        for n in range(1, 9):
            yielded.append(n)
            yield Row(n)

    clock, passed, until = Leaving(look), list[Sequence[Any]](), 0
    generator, watch = GeneratorSource(rows, lambda: 0.0), Stopwatch(clock, lambda: 0)
    limits, ids = BatchLimits(max_records=4), TraceIds("r1")
    source = SourceDriver(GRAPH, generator, limits, ids, sampling=False, stopwatch=watch)

    def leave() -> list[Any]:
        nonlocal until
        until = len(yielded)
        return source.cut(1, 1)  # whatever has been passed on

    clock.leave = leave
    source.open()
    passed += [payloads for _, payloads in batches(source)]
    passed += [payloads for batch, payloads in clock.cut if not batch.final]
    assert [row.n for payloads in passed for row in payloads] == list(range(1, until + 1))
