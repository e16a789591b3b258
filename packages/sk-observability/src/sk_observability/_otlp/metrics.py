"""Conversion of a snapshot to OpenTelemetry metrics.

The data is built directly in the form that the SDK's reader passes to an exporter. The SDK's
instruments take single measurements, but these values are already aggregated in the workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    HistogramDataPoint,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Histogram as HistogramData
from opentelemetry.sdk.metrics.export import Metric as MetricData
from sk_kernel import SECONDS_BOUNDS, Histogram

from sk_observability._exporting.exporter import Origin
from sk_observability._metrics.metric import Metric, MetricKind, MetricsSnapshot
from sk_observability._metrics.table import METRICS
from sk_observability._otlp.resource import SCOPE, resource_of
from sk_observability._otlp.sender import OtlpSender, otlp_sender
from sk_observability._otlp.settings import OtlpSettings

_SINCE_THE_START: Final = AggregationTemporality.CUMULATIVE
#: Minimum and maximum are not measured: optional in the protocol, required by the SDK's type.
_UNKNOWN: Final[Any] = None


def sender(settings: OtlpSettings, origin: Origin) -> OtlpSender[MetricsSnapshot]:
    """Return a sender of a run's metrics; of several snapshots in a batch it sends the last."""
    resource = resource_of(settings, origin)
    began: list[int] = []

    def convert(snapshots: Sequence[MetricsSnapshot]) -> MetricsData:
        last = snapshots[-1]
        if not began:  # computed once: a sum's start time must never change
            began.append(max(0, last.time_ns - int(last.status.age_seconds * 1e9)))
        metrics = [_converted(metric, last, began[0]) for metric in METRICS]
        scope = ScopeMetrics(SCOPE, [m for m in metrics if m.data.data_points], "")
        return MetricsData([ResourceMetrics(resource, [scope], "")])

    return otlp_sender("metrics", settings, convert)


def _converted(metric: Metric, snapshot: MetricsSnapshot, began: int) -> MetricData:
    samples = [(dict(zip(metric.labels, v, strict=True)), n) for v, n in metric.samples(snapshot)]
    now = snapshot.time_ns
    data: Sum | Gauge | HistogramData
    if metric.kind is MetricKind.HISTOGRAM:
        times = [_times(labels, n, began, now) for labels, n in samples if isinstance(n, Histogram)]
        data = HistogramData(times, _SINCE_THE_START)
    else:
        numbers = [(labels, n) for labels, n in samples if not isinstance(n, Histogram)]
        points = [NumberDataPoint(labels, began, now, +n) for labels, n in numbers]
        counts = metric.kind is MetricKind.COUNTER
        data = Sum(points, _SINCE_THE_START, is_monotonic=True) if counts else Gauge(points)
    return MetricData(metric.name, metric.help, metric.unit, data)


def _times(labels: dict[str, str], times: Histogram, began: int, now: int) -> HistogramDataPoint:
    bounds, counts = SECONDS_BOUNDS, times.counts
    return HistogramDataPoint(
        labels, began, now, times.count, times.sum, counts, bounds, _UNKNOWN, _UNKNOWN
    )
