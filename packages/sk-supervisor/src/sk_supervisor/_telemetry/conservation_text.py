"""Reports of a run's span accounting: lines for its summary, and lifecycle events. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from sk_supervisor._telemetry.conservation import Conservation, ExporterSum, Remainder

SPANS_ACCOUNTED: Final = "spans_accounted"
SPANS_UNKNOWN: Final = "spans_unknown"
SPANS_UNACCOUNTED: Final = "spans_unaccounted"


def words(found: Conservation) -> list[str]:
    """The lines about spans in the summary of a run; none if nothing could be exported."""
    lines = [f"  {_exporter_line(one)}" for one in found.exporters]
    lines += [f"  {_remainder_line(remainder)}" for remainder in found.remainders]
    return lines


def complaints(found: Conservation) -> list[str]:
    """The errors about a run's spans, which are printed even by a quiet run."""
    return [
        f"error: spans of {gap.worker} are not accounted for: {gap.exporter} was given"
        f" {gap.created:,}, exported {gap.exported:,} and dropped {gap.dropped:,}"
        for gap in found.gaps
    ]


class Fact(NamedTuple):
    """A lifecycle event about spans, to be emitted."""

    name: str
    worker: str | None
    fields: Mapping[str, object]


def facts_of(found: Conservation) -> Iterator[Fact]:
    """The lifecycle events that report the sums.

    There is one for each exporter, each place whose processes ended without a final report, and
    each gap.
    """
    for one in found.exporters:
        fields = {
            "exporter": one.name,
            "created": one.created,
            "exported": one.exported,
            "dropped": sum(one.dropped.values()),
            "reasons": _reasons(one.dropped),
            "unknown": one.unknown,
            "processes": found.processes,
        }
        yield Fact(SPANS_ACCOUNTED, None, fields)
    for worker, created, processes in found.remainders:
        yield Fact(SPANS_UNKNOWN, worker, {"created": created, "processes": processes})
    for gap in found.gaps:
        fields = {k: v for k, v in gap._asdict().items() if k != "worker"}
        yield Fact(SPANS_UNACCOUNTED, gap.worker, {**fields, "missing": gap.missing})


def _exporter_line(one: ExporterSum) -> str:
    text = f"spans: {one.created:,} created, {one.exported:,} exported by {one.name}"
    if one.dropped:
        text += f", {sum(one.dropped.values()):,} dropped ({_reasons(one.dropped)})"
    if one.unknown:
        text += f", {one.unknown:,} unknown (processes that ended before their final report)"
    for worker, reason in sorted(one.unclosed.items()):
        text += f"; not closed in {worker} ({reason})"
    return text


def _remainder_line(remainder: Remainder) -> str:
    worker, created, processes = remainder
    said = "it ended before its final report; up to its last report it had"
    if processes > 1:
        worker += f" and {processes - 1:,} before it"
        said = "they ended before their final reports; up to their last reports they had"
    return f"spans of {worker}: {said} created {created:,}, the remainder is unknown"


def _reasons(dropped: Mapping[str, int]) -> str:
    """The reasons with their counts, the highest count first."""
    ranked = sorted(dropped.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {lost:,}" for reason, lost in ranked)
