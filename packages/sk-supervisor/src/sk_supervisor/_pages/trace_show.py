"""A trace as a tree, or a list of traces, on a terminal or in a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sk_supervisor._pages.trace_index import Listing
from sk_supervisor._pages.trace_orders import ORDERS
from sk_supervisor._pages.trace_span import GUIDED, Row, Span
from sk_supervisor._pages.trace_waits import Meanwhile
from sk_supervisor._pages.trace_words import facts_of, groups_of, number_of, span_place
from sk_supervisor._show.rows import shown
from sk_supervisor._text.units import lasting, moment

_COLOURS: Final = ("blue", "green", "yellow", "magenta", "cyan", "bright_black")


def show_trace(screen: Console, rows: Sequence[Row], count: int) -> None:
    """Print one trace: its facts, and its spans as a tree with their start times and durations."""
    spans = [row.span for row in rows]
    begin = min(span.start_ns for span in spans)
    colours = {name: _COLOURS[n % len(_COLOURS)] for n, name in enumerate(groups_of(spans))}
    screen.print(Text(f"trace {shown(spans[0].trace_id)}", style="bold"))
    facts = [f"{name} {shown(value)}" for name, value in facts_of(spans, count)]
    screen.print(Text("  ".join(facts)))
    table = _table(("span", "where", "waited", "at", "took"), ("span", "where"))
    for row in rows:
        span = row.span
        table.add_row(
            _label(row),
            Text(shown(span_place(span)), style=colours[span.process_group]),
            "" if row.waited_ns is None else lasting(row.waited_ns),
            lasting(span.start_ns - begin),
            lasting(span.took_ns),
        )
    screen.print(table)


def show_meanwhile(screen: Console, meanwhile: Meanwhile) -> None:
    """Print the longest waits of a trace, and what the workers did during them."""
    if not meanwhile.waits:
        return
    screen.print(Text("the longest waits, and what the spans in the files tell of their workers"))
    for wait in meanwhile.waits:
        screen.print(Text(f"  {lasting(wait.took_ns)} before {shown(wait.name)}"))
        for line in meanwhile.told(wait):
            screen.print(Text(f"    {shown(line)}"))


def show_traces(screen: Console, listing: Listing) -> None:
    """Print the listed traces, and the number of the others."""
    columns = ("trace", "record", "spans", "groups", "errors", "took", "busy", "began")
    table = _table(columns, ("trace",))
    for trace in listing.shown:
        table.add_row(
            Text(shown(trace.trace_id)),
            number_of(trace.record),
            f"{trace.spans:,}",
            str(trace.groups),
            Text(f"{trace.errors:,}", style="bold red" if trace.errors else ""),
            lasting(max(0, trace.end_ns - trace.start_ns)),
            lasting(trace.busy_ns),
            moment(trace.start_ns),
        )
    screen.print(table)
    more = listing.traces - len(listing.shown)
    told = f"{listing.traces:,} traces, {listing.spans:,} spans; "
    order = ORDERS[listing.order].told
    screen.print(Text(told + (f"{order}: {more:,} more (--limit)" if more else order)))


def _label(row: Row) -> Text:
    span = row.span
    label = Text.assemble((_guide(row), "bright_black"), shown(span.name))
    if span.kind not in ("internal", ""):
        label.append(f" {shown(span.kind)}")
    if span.links:
        label.append(_linked(span), style="bright_black")
    if span.error is not None:
        label.append(f" raised {shown(span.error)}", style="bold red")
    if row.note is not None:
        label.append(f" ({shown(row.note)})", style="yellow")
    return label


def _linked(span: Span) -> str:
    """The target of the first link, usable with ``--trace``; the HTML page shows all links."""
    link, *others = span.links
    within = link.trace_id == span.trace_id
    where = shown(link.span_id) if within else f"trace {shown(link.trace_id)}"
    return f" -> {where}" + (f" and {len(others):,} more" if others else "")


def _guide(row: Row) -> str:
    if not row.depth:
        return ""
    if row.depth > GUIDED:
        return "  " * GUIDED + f"({row.depth}) "
    above = "".join("│ " if more else "  " for more in row.guides[:-1])
    return above + ("├─" if row.guides[-1] else "└─")


def _table(columns: Sequence[str], names: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    for name in columns:
        text = name in names
        table.add_column(
            name, justify="left" if text else "right", no_wrap=not text, overflow="fold"
        )
    return table
