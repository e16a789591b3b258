"""A run's status as a table: printed once, or updated in place."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from sk_supervisor._show.rows import COLUMNS, headline, is_number, notes, rows, shown
from sk_supervisor._show.screens import can_live

if TYPE_CHECKING:
    from sk_kernel import RunStatus

    from sk_supervisor._operate.entries import Entry
    from sk_supervisor._show.looks import StatusLook

#: The width for a pipe or a file: names are not broken there.
_WIDE = 250
#: The columns whose text may wrap.
_NAMES = ("worker", "run", "scenario")


def console() -> Console:
    """A console on standard output."""
    return Console(highlight=False) if os.isatty(1) else Console(highlight=False, width=_WIDE)


def print_status(screen: Console, look: StatusLook) -> None:
    """Print a run's headline, its workers, and notes on anything unusual."""
    screen.print(_status(look))


def print_runs(screen: Console, runs: Iterable[tuple[Entry, RunStatus | None]]) -> None:
    """Print one line for each run; the state of one that did not answer is "no answer"."""
    table = _table(("run", "pid", "scenario", "state", "workers"))
    for entry, status in runs:
        state = "no answer" if status is None else status.state
        workers = "-" if status is None else str(len(status.workers()))
        info = entry.info
        scenario = info.scenario if status is None else status.scenario
        table.add_row(
            Text(shown(info.run_id)), str(info.pid or "-"), Text(shown(scenario)), state, workers
        )
    screen.print(table)


@contextmanager
def live_status(screen: Console) -> Iterator[Callable[[StatusLook], None]]:
    """Yield a function that shows a state of the run: in place on a terminal, else appended."""
    if not can_live(sys.stdout):

        def show(look: StatusLook) -> None:
            print_status(screen, look)
            screen.file.flush()

        yield show
        return
    with Live(console=screen, auto_refresh=False) as live:

        def update(look: StatusLook) -> None:
            live.update(_status(look), refresh=True)

        yield update


def _status(look: StatusLook) -> Group:
    table = _table(COLUMNS)
    for row in rows(look):
        table.add_row(*map(Text, row))
    return Group(Text(headline(look)), table, *map(Text, notes(look.status)), Text(""))


def _table(columns: Iterable[str]) -> Table:
    table = Table(
        box=None, padding=(0, 1), pad_edge=False, collapse_padding=True, header_style="bold"
    )
    for name in columns:
        table.add_column(
            name,
            justify="right" if is_number(name) else "left",
            no_wrap=name not in _NAMES,
            overflow="fold",
        )
    return table
