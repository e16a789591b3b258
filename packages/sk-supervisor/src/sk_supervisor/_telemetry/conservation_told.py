"""How the sums of a run's spans are told: in its summary, and as lifecycle events. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from sk_supervisor._telemetry.conservation import Conservation, ExporterSum, Remainder

SPANS_ACCOUNTED: Final = "spans_accounted"
SPANS_UNKNOWN: Final = "spans_unknown"
SPANS_UNACCOUNTED: Final = "spans_unaccounted"


def words(found: Conservation) -> list[str]:
    """What the summary of a run says of its spans; nothing where none could be exported."""
    lines = [f"  {_told(one)}" for one in found.exporters]
    lines += [f"  {_untold(remainder)}" for remainder in found.remainders]
    return lines


def complaints(found: Conservation) -> list[str]:
    """What has to be said of a run's spans however quiet it is to be."""
    return [
        f"error: spans of {gap.worker} are not accounted for: {gap.exporter} was given"
        f" {gap.created:,}, exported {gap.exported:,} and dropped {gap.dropped:,}"
        for gap in found.gaps
    ]


class Fact(NamedTuple):
    """A lifecycle event that tells of spans."""

    name: str
    worker: str | None
    fields: Mapping[str, object]


def facts_of(found: Conservation) -> Iterator[Fact]:
    """The events that tell the sums.

    One for each exporter, each process that ended without a last account, and each gap.
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


def _told(one: ExporterSum) -> str:
    text = f"spans: {one.created:,} created, {one.exported:,} exported by {one.name}"
    if one.dropped:
        text += f", {sum(one.dropped.values()):,} dropped ({_reasons(one.dropped)})"
    if one.unknown:
        text += f", {one.unknown:,} held by processes that ended without a last account"
    for worker, reason in sorted(one.unclosed.items()):
        text += f"; not closed in {worker} ({reason})"
    return text


def _untold(remainder: Remainder) -> str:
    worker, created, processes = remainder
    said = "it ended without a last account; up to its last report it had"
    if processes > 1:
        worker += f" and {processes - 1:,} before it"
        said = "they ended without a last account; up to their last reports they had"
    return f"spans of {worker}: {said} created {created:,}, the remainder is unknown"


def _reasons(dropped: Mapping[str, int]) -> str:
    """The reasons, the one that lost the most first."""
    ranked = sorted(dropped.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {lost:,}" for reason, lost in ranked)
