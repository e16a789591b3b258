"""Formatting a snapshot in Prometheus's text format, with Prometheus's own library."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from sk_kernel import SECONDS_BOUNDS, Histogram

from sk_observability._metrics.metric import Metric, MetricKind, MetricsSnapshot
from sk_observability._metrics.table import METRICS

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_LE: Final = (*map(floatToGoString, SECONDS_BOUNDS), "+Inf")


def prometheus_text(snapshot: MetricsSnapshot) -> bytes:
    """Return the response to a scrape: every metric, read from this snapshot."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(snapshot))
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, snapshot: MetricsSnapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterable[Family]:
        return [_family(metric, self._snapshot) for metric in METRICS]

    def describe(self) -> Iterable[Family]:
        return ()


def _family(metric: Metric, snapshot: MetricsSnapshot) -> Family:
    name, help_text = metric.prometheus_name, f"{metric.help}."
    if metric.kind is MetricKind.HISTOGRAM:
        times = HistogramMetricFamily(name, help_text, labels=metric.labels)
        for labels, value in metric.samples(snapshot):
            assert isinstance(value, Histogram)  # noqa: S101 - by the metric's kind
            times.add_metric(
                labels, list(zip(_LE, accumulate(value.counts), strict=True)), value.sum
            )
        return times
    make = CounterMetricFamily if metric.kind is MetricKind.COUNTER else GaugeMetricFamily
    family = make(name, help_text, labels=metric.labels)
    for labels, value in metric.samples(snapshot):
        assert not isinstance(value, Histogram)  # noqa: S101 - by the metric's kind
        family.add_metric(labels, float(value))
    return family
