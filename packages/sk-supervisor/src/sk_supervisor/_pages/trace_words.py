"""Texts about a trace, for the terminal and the HTML page alike. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sk_supervisor._pages.trace_index import Listing, Summary
from sk_supervisor._pages.trace_orders import ORDERS
from sk_supervisor._pages.trace_runs import NewestRun
from sk_supervisor._pages.trace_span import Span, covered_ns
from sk_supervisor._text.units import lasting, moment

NAMELESS: Final = "(without an id)"
"""The name of the run of spans without a run id."""
NAMED: Final = 5
"""The maximum number of other runs that are named; any more are counted."""


def span_place(span: Span) -> str:
    """Where a span ran: its worker, whose id contains the group, or else its group."""
    return span.worker or span.process_group or "-"


def groups_of(spans: Sequence[Span]) -> list[str]:
    """The groups that a trace ran through, by hop and start time."""
    first: dict[str, tuple[int, int]] = {}
    for span in spans:
        known = (span.route_hop, span.start_ns)
        first[span.process_group] = min(first.get(span.process_group, known), known)
    return sorted(first, key=lambda group: first[group])


def others_told(runs: NewestRun) -> str | None:
    """A note on which run is shown, if there are others. The ids are not escaped."""
    others = [run_id or NAMELESS for run_id in runs.others]
    if not others:
        return None
    some = ", ".join(others[:NAMED])
    if len(others) > NAMED:
        some += f" and {len(others) - NAMED:,} more"
    newest = f"run {runs.run_id or NAMELESS}, the newest of {len(others) + 1:,}"
    return f"{newest}; --run shows another: {some}"


def picked_told(picked: Summary, listing: Listing) -> str:
    """A note on which of many traces is drawn, and how to get the others."""
    first = ORDERS[listing.order].first
    if listing.order == "failed" and picked.errors:
        first += " that failed"
    return (
        f"1 of {listing.traces:,} traces is drawn, {first}: {picked.trace_id}, of record "
        f"{number_of(picked.record)}; without --html they are listed, and --trace draws another"
    )


def number_of(sequence: int) -> str:
    """A record's number, as ``--record`` takes it; requests and the run's own steps have none."""
    if sequence > 0:
        return str(sequence)
    return "request" if sequence < 0 else "-"


def facts_of(spans: Sequence[Span], count: int) -> list[tuple[str, str]]:
    """The (name, value) facts about a trace. ``count`` is the number of all its spans."""
    begin, end = min(s.start_ns for s in spans), max(s.end_ns for s in spans)
    covered = covered_ns(spans)
    records = sorted({span.sequence for span in spans})
    failed = sum(span.error is not None for span in spans)
    some = "" if count == len(spans) else f", of which the first {len(spans):,} in the files"
    shown = ", ".join(map(number_of, records[:5])) + (", ..." if records[5:] else "")
    runs = [("run", span.run_id) for span in spans[:1] if span.run_id]
    return [
        *runs,
        ("record" if len(records) == 1 else "records", shown),
        ("spans", f"{count:,}{some}"),
        ("groups", f"{len(groups_of(spans)):,}"),
        ("began", moment(begin)),
        ("took", lasting(max(0, end - begin))),
        ("busy", lasting(covered)),
        ("waiting", lasting(max(0, end - begin - covered))),
        ("errors", f"{failed:,}"),
    ]
