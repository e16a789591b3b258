"""Counts of exported and dropped spans, events and metrics, for the run's metrics. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from sk_kernel import SpanAccount
from sk_observability import ExporterCounts, LifecycleCounts, TelemetryCounts

from sk_supervisor._telemetry.conservation import ExporterSum, conservation_of, names_of

#: In place of an exporter's name: events over the rate limit reached none of the exporters.
EVERY_EXPORTER = "all"
FLOODED = "flooded"


def span_telemetry(accounts: Iterable[SpanAccount]) -> Iterator[TelemetryCounts]:
    """The counts of spans, over all processes."""
    sums = conservation_of(accounts).exporters
    return _counts_by_name("spans", [one.name for one in sums], sums)


def log_telemetry(counts: LifecycleCounts) -> Iterator[TelemetryCounts]:
    """The counts of lifecycle events."""
    yield from _counts_by_name("logs", names_of(counts.exporters), counts.exporters)
    lost = sum(counts.flooded.values())
    if counts.exporters:
        yield TelemetryCounts(
            signal="logs", exporter=EVERY_EXPORTER, created=lost, dropped={FLOODED: lost}
        )


def metric_telemetry(counts: Sequence[ExporterCounts]) -> Iterator[TelemetryCounts]:
    """The counts of metrics snapshots."""
    return _counts_by_name("metrics", names_of(counts), counts)


def _counts_by_name(
    signal: Literal["spans", "logs", "metrics"],
    names: Iterable[str],
    counts: Iterable[ExporterSum | ExporterCounts],
) -> Iterator[TelemetryCounts]:
    for name, one in zip(names, counts, strict=True):
        yield TelemetryCounts(
            signal=signal,
            exporter=name,
            created=one.created,
            exported=one.exported,
            dropped=dict(one.dropped),
        )
