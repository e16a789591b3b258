"""An index of the traces in files of any size: a summary of each, and the spans of a chosen one.

Only the spans of one trace are held in memory, up to `MOST_SPANS`. The summaries are in a private
SQLite table, which SQLite moves to a temporary file when it grows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Final, NamedTuple

from sk_supervisor._pages.trace_busy import Stretches, joined, total_ns
from sk_supervisor._pages.trace_orders import ORDERS
from sk_supervisor._pages.trace_runs import RunSpan
from sk_supervisor._pages.trace_span import Span
from sk_supervisor.errors import RecordedFileError

MOST_SPANS: Final = 10_000
"""The maximum number of spans kept of one trace; the others are counted."""
AT_ONCE: Final = 20_000
"""The number of traces whose sums are held in memory before they are added to the table."""
_MOST_NAMED: Final = 8
_GROUP_BITS: Final = 62
_TABLE: Final = """
pragma journal_mode = off;
pragma synchronous = off;
pragma cache_size = -32768;
create table traces (
    trace_id text primary key, record integer, spans integer, errors integer, groups integer,
    start_ns integer, end_ns integer, busy blob
) without rowid
"""
_ADD: Final = """
insert into traces values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (trace_id) do update set
    spans = spans + excluded.spans, errors = errors + excluded.errors,
    groups = groups | excluded.groups, start_ns = min(start_ns, excluded.start_ns),
    end_ns = max(end_ns, excluded.end_ns), busy = joined(busy, excluded.busy)
"""
_FIRST: Final = """
select trace_id, record, spans, errors, groups, start_ns, end_ns, total_ns(busy) as busy_ns
from traces order by %s, record, trace_id limit ?
"""


class Summary(NamedTuple):
    """The summary of one trace.

    ``record`` is its record's number at the source, ``groups`` the number of groups it ran through,
    and ``busy_ns`` the time in which at least one of its spans was running.
    """

    trace_id: str
    record: int
    spans: int
    errors: int
    groups: int
    start_ns: int
    end_ns: int
    busy_ns: int


class Listing(NamedTuple):
    """The numbers of all traces and spans, and the first traces in an order."""

    traces: int
    spans: int
    shown: list[Summary]
    order: str


def first_of(listing: Listing) -> Summary:
    """The trace to show if none was chosen: the first of a record, or else the first of all.

    The supervisor's own steps are a trace, too, which is as long as the run.
    """
    records = [trace for trace in listing.shown if trace.record]
    return (records or listing.shown)[0]


class Chosen:
    """The spans of the one trace whose id is ``wanted``, or else begins with it.

    ``ids`` has all ids that match, up to eight. With several, no spans are kept.
    """

    def __init__(self, wanted: str) -> None:
        self._wanted, self._exact = wanted, False
        self.ids: dict[str, None] = {}
        self.spans: list[Span] = []
        self.count = 0

    def clear(self) -> None:
        """Forget all spans: they are of a run that is not the newest, or match only the prefix."""
        self._exact, self.count = False, 0
        self.ids.clear()
        self.spans.clear()

    def add(self, span: Span) -> None:
        """Keep a span if it matches and all matching spans so far are of one trace."""
        if not span.trace_id.startswith(self._wanted):
            return
        if not self._exact and span.trace_id == self._wanted:
            self.clear()
            self._exact = True
        if self._exact and span.trace_id != self._wanted:
            return
        if len(self.ids) < _MOST_NAMED:
            self.ids[span.trace_id] = None
        self.count += 1
        if len(self.ids) > 1:
            self.spans.clear()
        elif len(self.spans) < MOST_SPANS:
            self.spans.append(span)


def listed(
    spans: Iterable[RunSpan], most: int, order: str = "failed", *, at_once: int = AT_ONCE
) -> Listing:
    """Sum up all traces of the run that begins last in ``spans``, and list the first ``most``.

    They are sorted by ``order``, one of the `ORDERS`. Memory use does not grow with their number.

    :raises RecordedFileError: when the temporary table cannot be written.
    """
    groups: dict[str, int] = {}
    held: dict[str, _Sums] = {}
    first = _FIRST % ORDERS[order].sql
    total = 0
    try:
        with closing(sqlite3.connect("", isolation_level=None)) as table:
            table.create_function("joined", 2, joined)
            table.create_function("total_ns", 1, total_ns)
            table.executescript(_TABLE)
            for span, begins in spans:
                if begins:
                    held.clear()
                    table.execute("delete from traces")
                    total = 0
                total += 1
                bit = 1 << min(groups.setdefault(span.process_group, len(groups)), _GROUP_BITS)
                known = held.get(span.trace_id)
                if known is None:
                    known = held[span.trace_id] = _Sums(span)
                known.add(span, bit)
                if len(held) >= at_once:
                    _store(table, held)
            _store(table, held)
            (traces,) = table.execute("select count(*) from traces").fetchone()
            found = [Summary(*row) for row in table.execute(first, (most,))]
    except sqlite3.Error as error:
        raise RecordedFileError("the temporary index of the traces", "write", str(error)) from error
    return Listing(traces, total, [s._replace(groups=s.groups.bit_count()) for s in found], order)


class _Sums:
    """The sums of one trace in memory."""

    __slots__ = ("_busy", "_end_ns", "_errors", "_groups", "_record", "_spans", "_start_ns")

    def __init__(self, first: Span) -> None:
        self._record, self._spans, self._errors, self._groups = first.sequence, 0, 0, 0
        self._start_ns, self._end_ns = first.start_ns, first.end_ns
        self._busy = Stretches()

    def add(self, span: Span, group: int) -> None:
        self._spans += 1
        self._errors += span.error is not None
        self._groups |= group
        self._start_ns = min(self._start_ns, span.start_ns)
        self._end_ns = max(self._end_ns, span.end_ns)
        self._busy.add(span.start_ns, span.end_ns)

    def row(self) -> tuple[object, ...]:
        """The row of the table, without the id."""
        numbers = self._record, self._spans, self._errors, self._groups
        return *numbers, self._start_ns, self._end_ns, self._busy.kept()


def _store(table: sqlite3.Connection, held: dict[str, _Sums]) -> None:
    table.execute("begin")
    table.executemany(_ADD, ((trace_id, *sums.row()) for trace_id, sums in held.items()))
    table.execute("commit")
    held.clear()
