"""What tracing asks of a batch: which of its rows are sampled, and no more work than they need."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from sk_kernel import TraceIds, span_id
from sk_kernel._batch import sampled_rows
from sk_kernel._ids import joined_id, node_mark, record_mark
from sk_kernel._sampled import SampledRows

NUMBERS = st.frozensets(st.integers(1, 60))


class _Counted(list[int]):
    """Keys that count how often they are looked at."""

    looks = 0

    def __getitem__(self, place: object) -> int:  # type: ignore[override]
        self.looks += 1
        return super().__getitem__(place)  # type: ignore[index,no-any-return]


@given(keys=NUMBERS, sampled=NUMBERS, nested=st.booleans())
def test_the_sampled_rows_are_those_whose_record_is_sampled(
    keys: frozenset[int], sampled: frozenset[int], nested: bool
) -> None:
    """Whatever the keys are like, and of each record all rows."""
    numbers = sorted(keys)
    several = [(n, i) for n in numbers for i in range(n % 3)]
    rows = sampled_rows(several if nested else numbers, sampled)
    of = [key[0] for key in several] if nested else numbers
    assert rows == [row for row, number in enumerate(of) if number in sampled]


def test_the_same_keys_are_looked_through_once_for_all_that_ask() -> None:
    """Nodes in a row, and the hops beside them, ask for the same."""
    asked, keys, sampled = SampledRows(), _Counted(range(1, 100)), frozenset({3, 50})
    first: Sequence[int] = list(asked(keys, sampled))
    looks = keys.looks
    assert (list(asked(keys, sampled)), keys.looks) == (first, looks)
    assert list(asked(list(range(40, 60)), sampled)) == [10]


@given(run=st.text(max_size=5), first=st.integers(1, 1 << 40), second=st.integers(1, 1 << 40))
def test_records_of_one_trace_and_nodes_on_one_record_never_share_a_span_id(
    run: str, first: int, second: int
) -> None:
    """A law of the two marks, not a chance, where the graph does not branch."""
    trace = TraceIds(run).of(first)
    assert (span_id(trace, "a", first) == span_id(trace, "a", second)) == (first == second)
    assert span_id(trace, "a", first) != span_id(trace, "b", first)


@given(run=st.text(max_size=5), sequence=st.integers(1, 1 << 62))
def test_a_records_mark_is_the_same_by_its_number_and_by_its_trace(run: str, sequence: int) -> None:
    """The process that has the number at hand and one that is told the trace give one id."""
    ids = TraceIds(run)
    assert ids.marked(sequence) == (ids.of(sequence), record_mark(ids.of(sequence), sequence))
    _, mark = ids.marked(sequence)
    assert joined_id(mark, node_mark("n")) == span_id(ids.of(sequence), "n", sequence)
