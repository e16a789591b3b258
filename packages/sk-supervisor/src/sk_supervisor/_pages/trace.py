"""``sk trace``: what a run's trace files hold, one trace or a list of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os.path import isfile
from typing import Final, NamedTuple

import click

from sk_supervisor._pages.trace_index import Chosen, Listing, first_of, listed
from sk_supervisor._pages.trace_runs import NewestRun, RunSpan
from sk_supervisor._pages.trace_span import Span, rows_of
from sk_supervisor._pages.trace_words import others_told, picked_told
from sk_supervisor._show.rows import shown
from sk_supervisor._text.jsonl import JsonLines
from sk_supervisor.errors import (
    EXIT_DONE,
    EXIT_OPERATION,
    NotRecordedError,
    OperationError,
    SeveralTracesError,
)

_STDIN: Final = "/dev/stdin"


class Wanted(NamedTuple):
    """What the ids of a trace, and of the run that it is of, are or begin with."""

    trace: str = ""
    run: str = ""

    def __str__(self) -> str:
        asked = ("trace", self.trace), ("run", self.run)
        said = [f"{name} whose id begins with {begin!r}" for name, begin in asked if begin]
        return " of a ".join(said if self.trace else ["span", *said])


def trace(paths: Sequence[str], wanted: Wanted, html: str | None, limit: int) -> int:
    """Show the trace that is wanted, or list them where there are many; on a page, the first one.

    A path of ``-`` is standard input. The exit code: 1 where there is none, or lines could not be
    read that are no half lines of killed workers.
    """
    try:
        return _shown([_STDIN if path == "-" else path for path in paths], wanted, html, limit)
    except OperationError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code


def _shown(paths: Sequence[str], wanted: Wanted, html: str | None, limit: int) -> int:
    lines, runs = JsonLines(paths, Span), NewestRun(wanted.run)
    chosen, listing = _found(lines, runs, wanted.trace, limit)
    told = list(lines.told())
    for line in told:
        click.echo(f"warning: {line}", err=True)
    if not chosen.ids:
        raise NotRecordedError(str(wanted), paths)
    if len(chosen.ids) > 1 and wanted.trace:
        raise SeveralTracesError(chosen.ids)
    if html is not None:
        if len(chosen.ids) > 1 and listing is not None:
            first = first_of(listing)
            chosen = _read_again(paths, chosen, first.trace_id, runs.run_id)
            told += _said(picked_told(first, listing))
        _write(chosen, html, [*told, *_said(others_told(runs))])
    else:
        _print(chosen, listing, runs)
    return EXIT_OPERATION if lines.bad else EXIT_DONE


def _found(
    lines: JsonLines[Span], runs: NewestRun, wanted: str, most: int
) -> tuple[Chosen, Listing | None]:
    """Go through the files, once: of the runs that have what is wanted, the newest is taken."""
    chosen = Chosen(wanted)
    spans = _passed(runs.of(s for s in lines if s.trace_id.startswith(wanted)), chosen)
    if wanted:
        for _ in spans:
            pass
        return chosen, None
    return chosen, listed(spans, most)


def _said(note: str | None) -> list[str]:
    """Say on standard error what a page will say, too."""
    if note:
        click.echo(shown(note), err=True)
    return [note] if note else []


def _read_again(paths: Sequence[str], several: Chosen, trace_id: str, run_id: str) -> Chosen:
    """Give the spans of one trace of a run.

    :raises SeveralTracesError: when what was read cannot be read twice, as a pipe cannot.
    """
    if not all(map(isfile, paths)):
        raise SeveralTracesError(several.ids)
    chosen, _ = _found(JsonLines(paths, Span), NewestRun(run_id), trace_id, 1)
    return chosen


def _passed(spans: Iterator[RunSpan], chosen: Chosen) -> Iterator[RunSpan]:
    for one in spans:
        if one.begins:
            chosen.clear()
        chosen.add(one.span)
        yield one


def _print(chosen: Chosen, listing: Listing | None, runs: NewestRun) -> None:
    from sk_supervisor._operate.screen import console
    from sk_supervisor._pages.trace_show import show_trace, show_traces

    if len(chosen.ids) == 1:
        show_trace(console(), rows_of(chosen.spans), chosen.count)
    elif listing is not None:
        show_traces(console(), listing)
    if told := others_told(runs):
        click.echo(shown(told))


def _write(chosen: Chosen, path: str, told: Sequence[str]) -> None:
    from sk_supervisor._pages.trace_page import trace_page
    from sk_supervisor._text.markup import write_page

    write_page(path, trace_page(rows_of(chosen.spans), chosen.count, told))
