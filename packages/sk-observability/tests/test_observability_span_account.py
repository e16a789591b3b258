"""The account of a process: what its spans have become, in words that fit into a message."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel import NodeSpan
from sk_observability import ExporterCounts, ExportFailedError, Outlet, SpanFanOut
from sk_observability._spans.account import MOST_CHARACTERS, MOST_REASONS, OTHER, span_account

REASONS = st.dictionaries(st.text(max_size=100), st.integers(1, 2**40), max_size=80)
SPAN = NodeSpan(
    trace_id="t",
    span_id="s",
    parent_id=None,
    name="n",
    process_group="g",
    route_hop=0,
    handoff_from=None,
    sequence=1,
    start_ns=0,
    end_ns=1,
)


class Scripted:
    """Passes on as many of each batch as it is told to."""

    def __init__(self, script: Sequence[int]) -> None:
        self._script = iter(script)

    def export(self, items: Sequence[NodeSpan]) -> None:
        if (passed := next(self._script)) < len(items):
            raise ExportFailedError("full", passed)

    def close(self) -> None:
        """Nothing is held."""


class Careless(Outlet[NodeSpan]):
    """An outlet that neither passes spans on nor counts them."""

    def export(self, items: Sequence[NodeSpan]) -> None:
        """Lose them."""


@pytest.mark.contract("P5PRE-OBS-03")
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), max_size=9))
def test_what_is_created_went_out_or_was_dropped_at_every_exporter(
    batches: list[tuple[int, int, int]],
) -> None:
    exporters = [Scripted([batch[place] for batch in batches if batch[0]]) for place in (1, 2)]
    spans = SpanFanOut([Outlet("scripted", exporter) for exporter in exporters])
    for size, *_ in batches:
        if size:
            spans.on_spans([SPAN] * size)
    assert not spans.account("w").final
    spans.close()
    account = spans.account("w")
    assert (account.worker, account.final) == ("w", True)
    assert account.created == sum(size for size, *_ in batches)
    for exporter in account.exporters:
        assert account.created == exporter.exported + sum(exporter.dropped.values())


class Meanwhile(Outlet[NodeSpan]):
    """An outlet that exports a batch while somebody asks for its counts."""

    spans: SpanFanOut | None = None

    @property
    def counts(self) -> ExporterCounts:
        if self.spans is not None:
            self.spans.on_spans([SPAN, SPAN])
        return super().counts


@pytest.mark.contract("P5PRE-OBS-03")
def test_what_is_exported_while_the_account_is_read_is_never_more_than_was_created() -> None:
    outlet = Meanwhile("scripted", Scripted([2]))
    outlet.spans = SpanFanOut([outlet])
    account = outlet.spans.account("w")
    assert (account.created, account.exporters[0].exported, account.final) == (2, 2, False)


def test_a_span_that_an_exporter_loses_without_a_word_is_missed() -> None:
    spans = SpanFanOut([Careless("careless", Scripted([]))])
    spans.on_spans([SPAN, SPAN])
    spans.close()
    account = spans.account("w")
    assert (account.created, account.exporters[0].exported) == (2, 0)


@given(REASONS, st.none() | st.text(max_size=100), st.text(max_size=100))
def test_reasons_of_anybody_are_bounded_and_lose_no_span(
    dropped: dict[str, int], close_failure: str | None, kind: str
) -> None:
    counts = ExporterCounts(kind, 5, 5, dropped, close_failure)
    (exporter,) = span_account("w", 5, [counts], final=True).exporters
    assert sum(exporter.dropped.values()) == sum(dropped.values())
    assert len(exporter.dropped) <= MOST_REASONS + 1
    for word in (*exporter.dropped, exporter.kind):
        assert 0 < len(word) <= MOST_CHARACTERS
        assert word.isprintable()
    assert (exporter.close_failure == "") == (close_failure is None)


def test_what_there_is_no_room_for_is_the_least() -> None:
    dropped = {f"reason {n}": n for n in range(1, MOST_REASONS + 3)}
    (exporter,) = span_account("w", 0, [ExporterCounts("k", dropped=dropped)], final=True).exporters
    assert exporter.dropped[OTHER] == 1 + 2
    assert exporter.dropped[f"reason {MOST_REASONS + 2}"] == MOST_REASONS + 2
