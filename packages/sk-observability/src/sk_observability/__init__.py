"""Lifecycle events, node spans and metrics of stream kernel, and their exporters.

`LifecycleLog` takes the events of a run, `SpanFanOut` the spans of its nodes, and `MetricPump`
takes a snapshot of the run at each interval. Each passes its items to exporters, which
`build_log_exporters`, `build_span_exporters` and `build_metric_exporters` make from a
configuration. Every exporter is wrapped in an `Outlet`, which counts the outcome of each item and
contains failures.
"""

from sk_observability._building.build import (
    Choice,
    build_log_exporters,
    build_metric_exporters,
    build_span_exporters,
    check_exporters,
)
from sk_observability._building.formats import events_as_text
from sk_observability._events.bucket import RateLimit
from sk_observability._events.log import Level, LifecycleCounts, LifecycleLog
from sk_observability._events.names import EventName
from sk_observability._exporting.account import Account
from sk_observability._exporting.exporter import (
    DeferredExporter,
    Exporter,
    ExporterKind,
    Extra,
    Origin,
    Settings,
)
from sk_observability._exporting.outlet import ExporterCounts, Outlet
from sk_observability._exporting.queued import QueuedExporter
from sk_observability._exporting.reasons import UNACCOUNTED
from sk_observability._exporting.sender import QueueLimits, Sender
from sk_observability._metrics.exposition import Exposition, can_expose, prometheus_exposition
from sk_observability._metrics.metric import Metric, MetricKind, MetricsSnapshot, TelemetryCounts
from sk_observability._metrics.pump import MetricPump
from sk_observability._metrics.table import METRICS
from sk_observability._spans.fan_out import SpanFanOut
from sk_observability.errors import (
    ExporterFault,
    ExporterSetupError,
    ExportFailedError,
    FaultCategory,
    ObservabilityError,
)

__all__ = [
    "METRICS",
    "UNACCOUNTED",
    "Account",
    "Choice",
    "DeferredExporter",
    "EventName",
    "ExportFailedError",
    "Exporter",
    "ExporterCounts",
    "ExporterFault",
    "ExporterKind",
    "ExporterSetupError",
    "Exposition",
    "Extra",
    "FaultCategory",
    "Level",
    "LifecycleCounts",
    "LifecycleLog",
    "Metric",
    "MetricKind",
    "MetricPump",
    "MetricsSnapshot",
    "ObservabilityError",
    "Origin",
    "Outlet",
    "QueueLimits",
    "QueuedExporter",
    "RateLimit",
    "Sender",
    "Settings",
    "SpanFanOut",
    "TelemetryCounts",
    "build_log_exporters",
    "build_metric_exporters",
    "build_span_exporters",
    "can_expose",
    "check_exporters",
    "events_as_text",
    "prometheus_exposition",
]

__version__ = "0.1.0"
