"""``sk trace``: one trace from a run's trace files, or a list of all traces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os.path import isfile
from typing import Final, NamedTuple

import click

from sk_supervisor._pages.timeline_events import EventLine
from sk_supervisor._pages.trace_index import Chosen, Listing, first_of, listed
from sk_supervisor._pages.trace_runs import NewestRun, RunSpan
from sk_supervisor._pages.trace_span import Row, Span, rows_of
from sk_supervisor._pages.trace_waits import Meanwhile, longest_waits
from sk_supervisor._pages.trace_words import others_told, picked_told
from sk_supervisor._show.rows import shown
from sk_supervisor._text.jsonl import JsonLines, Others
from sk_supervisor.errors import (
    EXIT_DONE,
    EXIT_OPERATION,
    NotRecordedError,
    OperationError,
    SeveralTracesError,
)

_STDIN: Final = "/dev/stdin"
_EVENTS: Final = Others(EventLine, "lifecycle events, which `sk timeline` shows")


class TraceQuery(NamedTuple):
    """The trace that is looked for, by its id or its record, and the run; ids may be prefixes.

    A record's trace is found by the record's own spans, not by those of batches that begin with it.
    """

    trace: str = ""
    run: str = ""
    record: int | None = None

    @property
    def is_one(self) -> bool:
        """Whether one trace is looked for, and not a list of all."""
        return bool(self.trace) or self.record is not None

    def has(self, span: Span) -> bool:
        """Whether a span matches, in any run."""
        if self.record is not None and (span.sequence != self.record or span.kind != "internal"):
            return False
        return span.trace_id.startswith(self.trace)

    def __str__(self) -> str:
        said = ["trace" if self.is_one else "span"]
        if self.trace:
            said.append(f"whose id begins with {self.trace!r}")
        if self.record is not None:
            said.append(f"of record {self.record} (records that are not sampled have none)")
        if self.run:
            said.append(f"of a run whose id begins with {self.run!r}")
        return " ".join(said)


class ListAs(NamedTuple):
    """How traces are listed: at most ``limit`` of them, in one of the `ORDERS`."""

    limit: int
    order: str


def trace(paths: Sequence[str], wanted: TraceQuery, html: str | None, how: ListAs) -> int:
    """Show the trace that matches, or list them if there are several; a page shows the first one.

    A single trace is shown with what the workers did while it waited; for that, the files are read
    again. The path ``-`` is standard input. Returns the exit code: 1 if no trace matches, or lines
    could not be read, except half lines of killed workers.
    """
    try:
        return _shown([_STDIN if path == "-" else path for path in paths], wanted, html, how)
    except OperationError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code


def _shown(paths: Sequence[str], wanted: TraceQuery, html: str | None, how: ListAs) -> int:
    lines, runs = JsonLines(paths, Span, _EVENTS), NewestRun(wanted.run)
    chosen, listing = _found(lines, runs, wanted, how)
    told = list(lines.told())
    for line in told:
        click.echo(f"warning: {line}", err=True)
    if not chosen.ids:
        raise NotRecordedError(str(wanted), paths)
    if len(chosen.ids) > 1 and wanted.is_one:
        raise SeveralTracesError(chosen.ids)
    if html is not None:
        if len(chosen.ids) > 1 and listing is not None:
            first = first_of(listing)
            chosen = _read_again(paths, chosen, TraceQuery(first.trace_id, runs.run_id))
            told += _said(picked_told(first, listing))
        _write(paths, chosen, html, [*told, *_said(others_told(runs))])
    else:
        _print(paths, chosen, listing, runs)
    return EXIT_OPERATION if lines.bad else EXIT_DONE


def _found(
    lines: JsonLines[Span], runs: NewestRun, wanted: TraceQuery, how: ListAs
) -> tuple[Chosen, Listing | None]:
    """Read the files once, and keep what matches of the newest run that has a match."""
    chosen = Chosen(wanted.trace)
    spans = _passed(runs.of(filter(wanted.has, lines)), chosen)
    if wanted.is_one:
        for _ in spans:
            pass
        return chosen, None
    return chosen, listed(spans, how.limit, how.order)


def _said(note: str | None) -> list[str]:
    """Print a note on standard error, and return it for the page."""
    if note:
        click.echo(shown(note), err=True)
    return [note] if note else []


def _read_again(paths: Sequence[str], several: Chosen, wanted: TraceQuery) -> Chosen:
    """Read the spans of one trace of a run in a second pass.

    :raises SeveralTracesError: when a file cannot be read twice, such as a pipe.
    """
    if not all(map(isfile, paths)):
        raise SeveralTracesError(several.ids)
    chosen, _ = _found(JsonLines(paths, Span), NewestRun(wanted.run), wanted, ListAs(1, "failed"))
    return chosen


def _meanwhile(paths: Sequence[str], rows: Sequence[Row]) -> Meanwhile:
    """What workers did during a trace's waits; nothing if the files cannot be read again."""
    waits = longest_waits(rows) if all(map(isfile, paths)) else []
    meanwhile = Meanwhile(waits)
    if waits:
        run_id = rows[0].span.run_id
        for span in JsonLines(paths, Span):
            if span.run_id == run_id:
                meanwhile.add(span)
    return meanwhile


def _passed(spans: Iterator[RunSpan], chosen: Chosen) -> Iterator[RunSpan]:
    for one in spans:
        if one.begins:
            chosen.clear()
        chosen.add(one.span)
        yield one


def _print(paths: Sequence[str], chosen: Chosen, listing: Listing | None, runs: NewestRun) -> None:
    from sk_supervisor._operate.screen import console
    from sk_supervisor._pages.trace_show import show_meanwhile, show_trace, show_traces

    if len(chosen.ids) == 1:
        rows = rows_of(chosen.spans)
        show_trace(console(), rows, chosen.count)
        show_meanwhile(console(), _meanwhile(paths, rows))
    elif listing is not None:
        show_traces(console(), listing)
    if told := others_told(runs):
        click.echo(shown(told))


def _write(paths: Sequence[str], chosen: Chosen, path: str, told: Sequence[str]) -> None:
    from sk_supervisor._pages.trace_page import trace_page
    from sk_supervisor._text.markup import write_page

    rows = rows_of(chosen.spans)
    meanwhile = _meanwhile(paths, rows).of_rows()
    write_page(path, trace_page(rows, chosen.count, told, meanwhile))
