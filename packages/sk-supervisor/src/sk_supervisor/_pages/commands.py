"""The commands that read what a run has written: ``sk trace`` and ``sk timeline``."""

from __future__ import annotations

import sys

import click

from sk_supervisor._pages.trace_orders import ORDERS

_SORT_HELP = (
    "Order of the list: failed (failed first, then the longest), total (longest first), busy (most"
    " busy time first), start (by start time)."
)
_HTML_HELP = "Write a standalone HTML page to OUT; - is standard output."


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option(
    "--trace",
    "wanted",
    metavar="ID",
    default="",
    help="Show the trace with this id or unique prefix.",
)
@click.option(
    "--record", metavar="N", type=click.IntRange(0), help="Show the trace of this record."
)
@click.option(
    "--run",
    metavar="ID",
    default="",
    help="Run id or prefix (default: the newest run in the files).",
)
@click.option("--html", metavar="OUT", help=_HTML_HELP)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Maximum number of traces in the list.",
)
@click.option(
    "--sort",
    "order",
    type=click.Choice([*ORDERS]),
    default="failed",
    show_default=True,
    help=_SORT_HELP,
)
def trace(
    files: tuple[str, ...],
    wanted: str,
    record: int | None,
    run: str,
    html: str | None,
    limit: int,
    order: str,
) -> None:
    """Show traces written by the span exporter jsonl.

    Without a selection, lists all traces, failed ones first; with --html, draws the first of them.
    With --trace or --record, shows one trace as a tree, with its longest waits and what the workers
    did meanwhile. If the files hold several runs, the newest that has the selected trace is shown.
    FILE - is standard input. Files may have any size.
    """
    from sk_supervisor._pages import trace as _trace

    asked, how = _trace.TraceQuery(wanted, run, record), _trace.ListAs(limit, order)
    sys.exit(_trace.trace(files, asked, html, how))


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option("--run", metavar="ID", help="Run id (default: the last run in the files).")
@click.option(
    "--which",
    metavar="N",
    type=click.IntRange(1),
    help="If several runs have this id, show the Nth.",
)
@click.option("--html", metavar="OUT", help=_HTML_HELP)
def timeline(files: tuple[str, ...], run: str | None, which: int | None, html: str | None) -> None:
    """Show the lifecycle of a run's workers, from events written by the log exporter jsonl.

    If the files hold several runs and none is selected, the last one is shown.
    """
    from sk_supervisor._pages import timeline_command as _timeline_command

    sys.exit(_timeline_command.timeline(files, run, which, html))


PAGES = (trace, timeline)
