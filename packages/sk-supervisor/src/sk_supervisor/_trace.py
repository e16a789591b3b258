"""``sk trace``: what a run's trace files hold, one trace or a list of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from sk_supervisor._jsonl import JsonLines
from sk_supervisor._trace_index import Chosen, Listing, listed
from sk_supervisor._trace_span import Span, rows_of
from sk_supervisor.errors import (
    EXIT_DONE,
    EXIT_OPERATION,
    NotRecordedError,
    OperationError,
    SeveralTracesError,
)


def trace(paths: Sequence[str], wanted: str, html: str | None, limit: int) -> int:
    """Show the trace whose id begins with ``wanted``, or list them where there are many.

    The exit code: 1 where there is none, or lines could not be read that are no half lines of
    killed workers.
    """
    try:
        return _shown(paths, wanted, html, limit)
    except OperationError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code


def _shown(paths: Sequence[str], wanted: str, html: str | None, limit: int) -> int:
    lines = JsonLines(paths, Span)
    chosen, listing = _found(lines, wanted, limit if html is None else 0)
    told = list(lines.told())
    for line in told:
        click.echo(f"warning: {line}", err=True)
    if not chosen.ids:
        what = f"trace whose id begins with {wanted!r}" if wanted else "span"
        raise NotRecordedError(what, paths)
    if len(chosen.ids) > 1 and (wanted or html is not None):
        raise SeveralTracesError(chosen.ids)
    if html is not None:
        _write(chosen, html, told)
    else:
        _print(chosen, listing)
    return EXIT_OPERATION if lines.bad else EXIT_DONE


def _found(lines: JsonLines[Span], wanted: str, most: int) -> tuple[Chosen, Listing | None]:
    """Go through the files, once."""
    chosen = Chosen(wanted)
    if wanted or not most:
        for span in lines:
            chosen.add(span)
        return chosen, None
    return chosen, listed(_passed(lines, chosen), most)


def _passed(spans: JsonLines[Span], chosen: Chosen) -> Iterator[Span]:
    for span in spans:
        chosen.add(span)
        yield span


def _print(chosen: Chosen, listing: Listing | None) -> None:
    from sk_supervisor._status_screen import console
    from sk_supervisor._trace_show import show_trace, show_traces

    if len(chosen.ids) == 1:
        show_trace(console(), rows_of(chosen.spans), chosen.count)
    elif listing is not None:
        show_traces(console(), listing)


def _write(chosen: Chosen, path: str, told: Sequence[str]) -> None:
    from sk_supervisor._markup import write_page
    from sk_supervisor._trace_page import trace_page

    write_page(path, trace_page(rows_of(chosen.spans), chosen.count, told))
