"""Exporters that fail, and the accounts of them."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel import NodeSpan
from sk_observability import ExporterCounts, ExportFailedError, Outlet, SpanFanOut

FAILURES: list[Exception | None] = [
    None,
    OSError(errno.ENOSPC, "full"),
    ValueError("a payload"),
    ExportFailedError("timeout", exported=1),
    ExportFailedError("timeout", exported=99),
    ExportFailedError("timeout", exported=-1),
]


class Scripted:
    """Fails as told, one step a call."""

    def __init__(self, plan: Sequence[Exception | None]) -> None:
        self._plan = iter(plan)

    def export(self, items: Sequence[int]) -> None:
        if failure := next(self._plan):
            raise failure

    def close(self) -> None:
        """Nothing is held."""


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(FAILURES))))
def test_created_is_exported_and_dropped_whatever_the_exporter_does(
    calls: list[tuple[int, Exception | None]],
) -> None:
    outlet = Outlet("scripted", Scripted([failure for _, failure in calls]))
    for size, _ in calls:
        outlet.export([0] * size)
        counts = outlet.counts
        assert counts.created == counts.exported + sum(counts.dropped.values())
        assert min(counts.exported, *counts.dropped.values(), 0) == 0
    assert outlet.counts.created == sum(size for size, _ in calls)


def test_losses_are_counted_by_reason_and_never_by_a_message(keeping: Any) -> None:
    exporter = keeping(
        OSError(errno.ENOSPC, "no space left on /secret/place"),
        ValueError("a payload"),
        ExportFailedError("timeout", exported=1),
        OSError("without a number"),
    )
    outlet = Outlet("jsonl", exporter)
    for _ in range(5):
        outlet.export(["a", "b", "c"])
    reasons = {"ENOSPC": 3, "ValueError": 3, "timeout": 2, "OSError": 3}
    assert outlet.counts == ExporterCounts("jsonl", created=15, exported=4, dropped=reasons)


def test_an_exporter_that_raises_takes_nothing_from_the_others(
    keeping: Any, span: Callable[..., NodeSpan]
) -> None:
    first, broken, last = keeping(), keeping(OSError(errno.EIO, "broken")), keeping()
    fan_out = SpanFanOut([Outlet("a", first), Outlet("b", broken), Outlet("c", last)])
    batches = [[span(1), span(2)], [span(3)]]
    for batch in batches:
        fan_out.on_spans(batch)
    assert first.items == last.items == [span(1), span(2), span(3)]
    assert broken.items == [span(3)]
    assert [counts.dropped for counts in fan_out.counts()] == [{}, {"EIO": 2}, {}]


def test_a_close_that_raises_is_noted_and_the_others_are_closed(keeping: Any) -> None:
    broken, last = keeping(at_close=OSError(errno.EIO, "broken")), keeping()
    fan_out = SpanFanOut([Outlet("a", broken), Outlet("b", last)])
    fan_out.close()
    assert last.closed == 1
    assert [counts.close_failure for counts in fan_out.counts()] == ["EIO", None]


def test_an_exporter_is_closed_once(keeping: Any) -> None:
    exporter = keeping()
    fan_out = SpanFanOut([Outlet("a", exporter)])
    fan_out.close()
    fan_out.close()
    assert exporter.closed == 1


def test_spans_after_the_close_are_counted_and_not_exported(
    keeping: Any, span: Callable[..., NodeSpan]
) -> None:
    exporter = keeping()
    fan_out = SpanFanOut([Outlet("a", exporter)])
    fan_out.close()
    fan_out.on_spans([span(1)])
    assert exporter.items == []
    assert fan_out.counts()[0].dropped == {"closed": 1}


def test_an_interrupt_is_no_failure_of_an_exporter_and_passes() -> None:
    class Interrupted(Scripted):
        def export(self, items: Sequence[int]) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Outlet("a", Interrupted([])).export([1])


def test_an_exporter_that_calls_sys_exit_has_failed_and_ends_nothing() -> None:
    class Leaving(Scripted):
        def export(self, items: Sequence[int]) -> None:
            sys.exit(9)

        def close(self) -> None:
            sys.exit(9)

    outlet = Outlet("a", Leaving([]))
    outlet.export([1])
    outlet.close()
    assert outlet.counts == ExporterCounts("a", 1, 0, {"SystemExit": 1}, "SystemExit")
