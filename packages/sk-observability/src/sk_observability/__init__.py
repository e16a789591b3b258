"""Lifecycle events and node spans of stream kernel, and their exporters.

`LifecycleLog` takes the events of a run, `SpanFanOut` the spans of its nodes; both hand them to the
exporters that `build_log_exporters` and `build_span_exporters` make of a configuration.
"""

from sk_observability._bucket import RateLimit
from sk_observability._build import (
    Choice,
    build_log_exporters,
    build_span_exporters,
    check_exporters,
)
from sk_observability._exporter import Exporter, ExporterKind, Origin, Settings
from sk_observability._fan_out import SpanFanOut
from sk_observability._log import Level, LifecycleCounts, LifecycleLog
from sk_observability._names import EventName
from sk_observability._outlet import ExporterCounts, Outlet
from sk_observability.errors import (
    ExporterFault,
    ExporterSetupError,
    ExportFailedError,
    FaultCategory,
    ObservabilityError,
)

__all__ = [
    "Choice",
    "EventName",
    "ExportFailedError",
    "Exporter",
    "ExporterCounts",
    "ExporterFault",
    "ExporterKind",
    "ExporterSetupError",
    "FaultCategory",
    "Level",
    "LifecycleCounts",
    "LifecycleLog",
    "ObservabilityError",
    "Origin",
    "Outlet",
    "RateLimit",
    "Settings",
    "SpanFanOut",
    "build_log_exporters",
    "build_span_exporters",
    "check_exporters",
]

__version__ = "0.1.0"
