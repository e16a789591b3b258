"""What is said of a trace, in a terminal and on a page alike. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sk_supervisor._pages.trace_index import Listing, Summary
from sk_supervisor._pages.trace_orders import ORDERS
from sk_supervisor._pages.trace_runs import NewestRun
from sk_supervisor._pages.trace_span import Span, covered_ns
from sk_supervisor._text.units import lasting, moment

NAMELESS: Final = "(without an id)"
"""The run of spans that name none."""
NAMED: Final = 5
"""The other runs that are named; of any more the number is told."""


def span_place(span: Span) -> str:
    """Say where a span was: its worker, which names the group too, or its group."""
    return span.worker or span.process_group or "-"


def groups_of(spans: Sequence[Span]) -> list[str]:
    """Give the groups that a trace ran through, in the order of its way."""
    first: dict[str, tuple[int, int]] = {}
    for span in spans:
        known = (span.route_hop, span.start_ns)
        first[span.process_group] = min(first.get(span.process_group, known), known)
    return sorted(first, key=lambda group: first[group])


def others_told(runs: NewestRun) -> str | None:
    """Say which run it is that is shown, where there are others; the ids as they are."""
    others = [run_id or NAMELESS for run_id in runs.others]
    if not others:
        return None
    some = ", ".join(others[:NAMED])
    if len(others) > NAMED:
        some += f" and {len(others) - NAMED:,} more"
    newest = f"run {runs.run_id or NAMELESS}, the newest of {len(others) + 1:,}"
    return f"{newest}; --run shows another: {some}"


def picked_told(picked: Summary, listing: Listing) -> str:
    """Say which trace of many it is that is drawn, and how to get the others."""
    first = ORDERS[listing.order].first
    if listing.order == "failed" and picked.errors:
        first += " that failed"
    return (
        f"1 of {listing.traces:,} traces is drawn, {first}: {picked.trace_id}, of record "
        f"{number_of(picked.record)}; without --html they are listed, and --trace draws another"
    )


def number_of(sequence: int) -> str:
    """Give a record's number in the input, as it is shown; a request has none."""
    return f"{sequence:,}" if sequence >= 0 else "request"


def facts_of(spans: Sequence[Span], count: int) -> list[tuple[str, str]]:
    """Give the facts of a trace, by name. ``count`` is of all its spans, shown or not."""
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
