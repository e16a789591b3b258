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
from sk_kernel.runtime import BatchLimits, Graph, SourceDriver, TraceIds


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
