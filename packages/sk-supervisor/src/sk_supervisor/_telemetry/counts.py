"""What has become of what a run tells of itself, for its metrics. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sk_kernel import SpanAccount
from sk_observability import ExporterCounts, LifecycleCounts, TelemetryCounts

from sk_supervisor._telemetry.conservation import conservation_of

#: Stands for all exporters of a log: what was over its rate got to none of them.
EVERY_EXPORTER = "all"
FLOODED = "flooded"


def span_telemetry(accounts: Iterable[SpanAccount]) -> Iterator[TelemetryCounts]:
    """Of spans, over all processes."""
    for one in conservation_of(accounts).exporters:
        yield TelemetryCounts(
            signal="spans",
            exporter=one.name,
            created=one.created,
            exported=one.exported,
            dropped=dict(one.dropped),
        )


def log_telemetry(counts: LifecycleCounts) -> Iterator[TelemetryCounts]:
    """Of lifecycle events."""
    for name, one in _named(counts.exporters):
        yield TelemetryCounts(
            signal="logs",
            exporter=name,
            created=one.created,
            exported=one.exported,
            dropped=one.dropped,
        )
    lost = sum(counts.flooded.values())
    if counts.exporters:
        yield TelemetryCounts(
            signal="logs", exporter=EVERY_EXPORTER, created=lost, dropped={FLOODED: lost}
        )


def metric_telemetry(counts: Sequence[ExporterCounts]) -> Iterator[TelemetryCounts]:
    """Of snapshots of metrics."""
    for name, one in _named(counts):
        yield TelemetryCounts(
            signal="metrics",
            exporter=name,
            created=one.created,
            exported=one.exported,
            dropped=one.dropped,
        )


def _named(counts: Sequence[ExporterCounts]) -> Iterator[tuple[str, ExporterCounts]]:
    """Each with its kind for a name, numbered where that comes again."""
    kinds = [one.kind for one in counts]
    for place, one in enumerate(counts):
        again = kinds.count(one.kind) > 1
        yield f"{one.kind} {kinds[:place].count(one.kind) + 1}" if again else one.kind, one
