"""What tracing asks of a batch: which of its rows are sampled, and no more work than they need."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from sk_kernel._batch.batch import sampled_rows
from sk_kernel._batch.sampled import SampledRows
from sk_kernel._calls.stretches import Stretches
from sk_kernel._record.ids import joined_id, node_mark, record_mark
from sk_kernel.runtime import TraceIds, span_id

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


def test_all_that_ask_have_the_sampled_keys_as_one_object() -> None:
    """By which it is known that their spans have traces and ids in common."""
    asked, keys, sampled = SampledRows(), range(1, 100), frozenset({3, 50, 100})
    assert list(asked.keys(keys, sampled)) == [3, 50]
    assert asked.keys(keys, sampled) is asked.keys(keys, sampled)


@given(size=st.integers(0, 40), data=st.data())
def test_a_batch_in_stretches_is_the_batch_and_knows_the_row_it_is_at(
    size: int, data: st.DataObject
) -> None:
    """Whichever rows are sampled; the clock is read twice for each of those and for no other."""
    traced = sorted(data.draw(st.frozensets(st.integers(0, size - 1)))) if size else []
    stretches, seen = Stretches([f"{row}" for row in range(size)], traced), []
    for some in stretches:
        for item in some:
            assert (item, stretches.row) == (f"{len(seen)}", len(seen))
            assert len(stretches.stamps) % 2 == (len(seen) in traced)
            seen.append(item)
    assert len(seen) == size
    assert len(stretches.stamps) == 2 * len(traced)


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
