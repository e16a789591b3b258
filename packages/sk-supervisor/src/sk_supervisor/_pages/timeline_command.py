"""``sk timeline``: the histories of a run's workers, from its log file."""

from __future__ import annotations

from collections.abc import Sequence

import click

from sk_supervisor._pages.timeline import timeline_of
from sk_supervisor._pages.timeline_events import RecordedEvents
from sk_supervisor.errors import EXIT_DONE, EXIT_OPERATION, OperationError


def timeline(paths: Sequence[str], run_id: str | None, which: int | None, html: str | None) -> int:
    """Show a run and return the exit code: 1 if there is none, or lines could not be read."""
    try:
        recorded = RecordedEvents(paths, run_id, which)
        for note in recorded.notes:
            click.echo(f"warning: {note}", err=True)
        _show(recorded, html)
    except OperationError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    return EXIT_OPERATION if recorded.bad else EXIT_DONE


def _show(recorded: RecordedEvents, html: str | None) -> None:
    found = timeline_of(recorded.events)
    if html is None:
        from sk_supervisor._operate.screen import console
        from sk_supervisor._pages.timeline_show import show_timeline

        show_timeline(console(), found)
        return
    from sk_supervisor._pages.timeline_page import timeline_page
    from sk_supervisor._text.markup import write_page

    write_page(html, timeline_page(found, recorded.notes))
