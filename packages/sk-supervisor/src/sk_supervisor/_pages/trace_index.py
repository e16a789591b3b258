"""The traces in a file of any length: what each is in a line, and the spans of the one looked for.

What is held of the spans is one trace, up to `MOST_SPANS`; the summary of all traces is a private
SQLite table, which goes to a temporary file of the system's where it grows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Final, NamedTuple

from sk_supervisor._pages.trace_runs import RunSpan
from sk_supervisor._pages.trace_span import Span
from sk_supervisor.errors import RecordedFileError

MOST_SPANS: Final = 10_000
"""The spans of one trace that are kept; the others are counted."""
AT_ONCE: Final = 50_000
"""The traces whose sums are in memory; then they go to the table."""
_MOST_NAMED: Final = 8
_GROUP_BITS: Final = 62
_TABLE: Final = """
pragma journal_mode = off;
pragma synchronous = off;
pragma cache_size = -32768;
create table traces (
    trace_id text primary key, record integer, spans integer, errors integer, groups integer,
    start_ns integer, end_ns integer
) without rowid
"""
_ADD: Final = """
insert into traces values (?, ?, ?, ?, ?, ?, ?) on conflict (trace_id) do update set
    spans = spans + excluded.spans, errors = errors + excluded.errors,
    groups = groups | excluded.groups, start_ns = min(start_ns, excluded.start_ns),
    end_ns = max(end_ns, excluded.end_ns)
"""
_FIRST: Final = """
select * from traces order by errors > 0 desc, end_ns - start_ns desc, record, trace_id limit ?
"""


class Summary(NamedTuple):
    """One trace. ``record`` is its number at the source, ``groups`` how many it ran through."""

    trace_id: str
    record: int
    spans: int
    errors: int
    groups: int
    start_ns: int
    end_ns: int


class Listing(NamedTuple):
    """How many traces and spans there are, and some of the traces: failed first, then longest."""

    traces: int
    spans: int
    shown: list[Summary]


def first_of(listing: Listing) -> Summary:
    """Give the trace to look at where none was chosen: the first in the list, of a record if any.

    What the supervisor did is a trace, too, and is as long as the run.
    """
    records = [trace for trace in listing.shown if trace.record]
    return (records or listing.shown)[0]


class Chosen:
    """The spans of the one trace whose id is, or begins with, what is looked for."""

    def __init__(self, wanted: str) -> None:
        self._wanted, self._exact = wanted, False
        self.ids: dict[str, None] = {}
        self.spans: list[Span] = []
        self.count = 0

    def clear(self) -> None:
        """Forget what was added: it is of a run that does not count."""
        self._exact, self.count = False, 0
        self.ids.clear()
        self.spans.clear()

    def add(self, span: Span) -> None:
        """Keep it if it is of that trace, and of no more than one so far."""
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


def listed(spans: Iterable[RunSpan], most: int, *, at_once: int = AT_ONCE) -> Listing:
    """Sum up all traces of the last run that begins, and give ``most``.

    Memory does not grow with their number.

    :raises RecordedFileError: when there is no room for the temporary table.
    """
    groups: dict[str, int] = {}
    held: dict[str, list[int]] = {}
    total = 0
    try:
        with closing(sqlite3.connect("", isolation_level=None)) as table:
            table.executescript(_TABLE)
            for span, begins in spans:
                if begins:
                    held.clear()
                    table.execute("delete from traces")
                    total = 0
                total += 1
                bit = 1 << min(groups.setdefault(span.process_group, len(groups)), _GROUP_BITS)
                _sum_up(held.setdefault(span.trace_id, []), span, bit)
                if len(held) >= at_once:
                    _store(table, held)
            _store(table, held)
            (traces,) = table.execute("select count(*) from traces").fetchone()
            found = [Summary(*row) for row in table.execute(_FIRST, (most,))]
    except sqlite3.Error as error:
        raise RecordedFileError("the temporary index of the traces", "write", str(error)) from error
    return Listing(traces, total, [s._replace(groups=s.groups.bit_count()) for s in found])


def _sum_up(known: list[int], span: Span, group: int) -> None:
    failed = span.error is not None
    if not known:
        known += [span.sequence, 1, failed, group, span.start_ns, span.end_ns]
        return
    known[1] += 1
    known[2] += failed
    known[3] |= group
    known[4] = min(known[4], span.start_ns)
    known[5] = max(known[5], span.end_ns)


def _store(table: sqlite3.Connection, held: dict[str, list[int]]) -> None:
    table.execute("begin")
    table.executemany(_ADD, ((trace_id, *numbers) for trace_id, numbers in held.items()))
    table.execute("commit")
    held.clear()
