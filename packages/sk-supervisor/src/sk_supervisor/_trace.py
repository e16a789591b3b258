"""``sk trace``: what a run's trace files hold, one trace or a list of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import click

from sk_supervisor._jsonl import JsonLines
from sk_supervisor._trace_index import Chosen, Listing, listed
from sk_supervisor._trace_runs import NewestRun, RunSpan
from sk_supervisor._trace_span import Span, rows_of
from sk_supervisor._trace_words import others_told
from sk_supervisor.errors import (
    EXIT_DONE,
    EXIT_OPERATION,
    NotRecordedError,
    OperationError,
    SeveralTracesError,
)


class Wanted(NamedTuple):
    """What the ids of a trace, and of the run that it is of, are or begin with."""

    trace: str = ""
    run: str = ""

    def __str__(self) -> str:
        asked = ("trace", self.trace), ("run", self.run)
        said = [f"{name} whose id begins with {begin!r}" for name, begin in asked if begin]
        return " of a ".join(said if self.trace else ["span", *said])


def trace(paths: Sequence[str], wanted: Wanted, html: str | None, limit: int) -> int:
    """Show the trace that is wanted, or list them where there are many.

    The exit code: 1 where there is none, or lines could not be read that are no half lines of
    killed workers.
    """
    try:
        return _shown(paths, wanted, html, limit)
    except OperationError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code


def _shown(paths: Sequence[str], wanted: Wanted, html: str | None, limit: int) -> int:
    lines, runs = JsonLines(paths, Span), NewestRun(wanted.run)
    chosen, listing = _found(lines, runs, wanted.trace, limit if html is None else 0)
    told = list(lines.told())
    for line in told:
        click.echo(f"warning: {line}", err=True)
    if not chosen.ids:
        raise NotRecordedError(str(wanted), paths)
    if len(chosen.ids) > 1 and (wanted.trace or html is not None):
        raise SeveralTracesError(chosen.ids)
    if html is not None:
        _write(chosen, html, told)
    else:
        _print(chosen, listing, runs)
    return EXIT_OPERATION if lines.bad else EXIT_DONE


def _found(
    lines: JsonLines[Span], runs: NewestRun, wanted: str, most: int
) -> tuple[Chosen, Listing | None]:
    """Go through the files, once: of the runs that have what is wanted, the newest is taken."""
    chosen = Chosen(wanted)
    spans = _passed(runs.of(s for s in lines if s.trace_id.startswith(wanted)), chosen)
    if wanted or not most:
        for _ in spans:
            pass
        return chosen, None
    return chosen, listed(spans, most)


def _passed(spans: Iterator[RunSpan], chosen: Chosen) -> Iterator[RunSpan]:
    for one in spans:
        if one.begins:
            chosen.clear()
        chosen.add(one.span)
        yield one


def _print(chosen: Chosen, listing: Listing | None, runs: NewestRun) -> None:
    from sk_supervisor._status_rows import shown
    from sk_supervisor._status_screen import console
    from sk_supervisor._trace_show import show_trace, show_traces

    if len(chosen.ids) == 1:
        show_trace(console(), rows_of(chosen.spans), chosen.count)
    elif listing is not None:
        show_traces(console(), listing)
    if told := others_told(runs):
        click.echo(shown(told))


def _write(chosen: Chosen, path: str, told: Sequence[str]) -> None:
    from sk_supervisor._markup import write_page
    from sk_supervisor._trace_page import trace_page

    write_page(path, trace_page(rows_of(chosen.spans), chosen.count, told))
