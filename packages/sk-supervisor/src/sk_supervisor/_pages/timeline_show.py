"""The timeline of a run as a table, on a terminal or in a file."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sk_supervisor._pages.timeline import STATES, SUPERVISOR, Timeline, WorkerHistory
from sk_supervisor._pages.timeline_page import facts_of, said, texts
from sk_supervisor._show.rows import shown
from sk_supervisor._text.units import lasting


def show_timeline(screen: Console, timeline: Timeline) -> None:
    """Print how long each worker was in each state, and the events that are marked."""
    screen.print(Text("  ".join(f"{name} {shown(value)}" for name, value in facts_of(timeline))))
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    table.add_column("worker", overflow="fold")
    for name in ("at", *STATES):
        table.add_column(name, justify="right", no_wrap=True)
    for life in timeline.lives:
        for cells in _cells(life, timeline.begin_ns):
            table.add_row(*map(Text, cells))
    screen.print(table)
    marks = [event for life in timeline.lives for event in life.marks]
    for event in sorted(marks, key=lambda event: (event.time_ns, event.sequence)):
        when = lasting(max(0, event.time_ns - timeline.begin_ns))
        screen.print(Text(f"{when}  {shown(event.worker or SUPERVISOR)}  {shown(said(event))}"))
        for name, text in texts(event):
            for line in (f"{name}:", *(f"  {line}" for line in text.split("\n"))):
                screen.print(Text(f"    {shown(line)}"))


def _cells(life: WorkerHistory, begin: int) -> Iterable[list[str]]:
    for worker in dict.fromkeys(stretch.worker for stretch in life.stretches):
        own = [stretch for stretch in life.stretches if stretch.worker == worker]
        lengths = [sum(s.length_ns for s in own if s.state == state) for state in STATES]
        spent = [lasting(length) if length else "-" for length in lengths]
        yield [shown(worker), lasting(max(0, own[0].begin_ns - begin)), *spent]
