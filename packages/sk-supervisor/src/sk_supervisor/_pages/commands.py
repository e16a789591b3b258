"""The commands that read what a run has written: ``sk trace`` and ``sk timeline``."""

from __future__ import annotations

import sys

import click

from sk_supervisor._pages.trace_orders import ORDERS

_SORT_HELP = "List: failed first and then the longest, the longest, the busiest, as they began."


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option("--trace", "wanted", metavar="ID", default="", help="Its id, or how that begins.")
@click.option("--record", metavar="N", type=click.IntRange(0), help="Its record's number.")
@click.option("--run", metavar="ID", default="", help="Its run, if not the newest, likewise.")
@click.option("--html", metavar="OUT", help="Write it as a page of its own; - is stdout.")
@click.option("--limit", type=click.IntRange(min=1), default=20, help="Traces to list at most.")
@click.option("--sort", "order", type=click.Choice([*ORDERS]), default="failed", help=_SORT_HELP)
def trace(
    files: tuple[str, ...],
    wanted: str,
    record: int | None,
    run: str,
    html: str | None,
    limit: int,
    order: str,
) -> None:
    """Show a trace of what the span exporter jsonl has written to each FILE.

    Where there are several traces and none is chosen they are listed, failed ones first, then the
    longest; on a page the first of these is drawn. Of one trace it is told what its workers did in
    its longest waits. A FILE of - is standard input. Of several runs in the files it is the newest
    one's that are meant, and of those that have the trace that is chosen. Files may be of any size:
    they are read line by line.
    """
    from sk_supervisor._pages import trace as _trace

    asked, how = _trace.Wanted(wanted, run, record), _trace.ListAs(limit, order)
    sys.exit(_trace.trace(files, asked, html, how))


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option("--run", metavar="ID", help="The run, where there are several.")
@click.option("--which", metavar="N", type=click.IntRange(1), help="Of runs of one id, the Nth.")
@click.option("--html", metavar="OUT", help="Write it as a page of its own; - is stdout.")
def timeline(files: tuple[str, ...], run: str | None, which: int | None, html: str | None) -> None:
    """Show the lives of a run's workers, of what the log exporter jsonl has written to each FILE.

    A file has the events of every run that wrote there: the last one is shown if none is chosen.
    """
    from sk_supervisor._pages import timeline_command as _timeline_command

    sys.exit(_timeline_command.timeline(files, run, which, html))


PAGES = (trace, timeline)
