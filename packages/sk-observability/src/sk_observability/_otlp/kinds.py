"""The kinds `otel_otlp`, for spans and for metrics, and `otel_logs_otlp`, for events.

OpenTelemetry is not imported here: the sending thread imports it before its first batch.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Final

from msgspec import structs
from sk_kernel import LifecycleEvent, NodeSpan

from sk_observability._exporting.exporter import Exporter, ExporterKind, Extra, Origin, Settings
from sk_observability._exporting.queued import QueuedExporter
from sk_observability._exporting.sender import QueueLimits, Sender
from sk_observability._metrics.metric import MetricsSnapshot
from sk_observability._otlp.settings import OtlpSettings, check_otlp, read_otlp
from sk_observability.errors import ExporterFault

_EXTRA: Final = Extra(
    "sk-observability[otlp]",
    (
        "opentelemetry.sdk",
        "opentelemetry.exporter.otlp.proto.grpc",
        "opentelemetry.exporter.otlp.proto.http",
    ),
)

_IMPORTING: Final = threading.Lock()
"""Held while modules of OpenTelemetry are imported: each signal has a thread that imports some.

These modules import each other in cycles. Two threads that enter a cycle at different places would
deadlock; CPython avoids that by letting one see a partially initialised module: an ImportError.
"""


def _span_exporter(settings: Settings, origin: Origin) -> Exporter[NodeSpan]:
    read = read_otlp(settings)

    def make() -> Sender[NodeSpan]:
        with _IMPORTING:
            from sk_observability._otlp.spans import sender

            return sender(read, origin)

    return QueuedExporter("spans", make, _limits(read, origin))


def _log_exporter(settings: Settings, origin: Origin) -> Exporter[LifecycleEvent]:
    read = read_otlp(settings)

    def make() -> Sender[LifecycleEvent]:
        with _IMPORTING:
            from sk_observability._otlp.logs import sender

            return sender(read, origin)

    return QueuedExporter("events", make, _limits(read, origin))


def _metric_exporter(settings: Settings, origin: Origin) -> Exporter[MetricsSnapshot]:
    read = read_otlp(settings)
    # One snapshot is being sent and one waits: a newer snapshot supersedes an older one.
    limits = structs.replace(
        _limits(read, origin), max_queue_size=2, max_batch_size=1, newest_wins=True
    )

    def make() -> Sender[MetricsSnapshot]:
        with _IMPORTING:
            from sk_observability._otlp.metrics import sender

            return sender(read, origin)

    return QueuedExporter("metrics", make, limits)


def _check_metrics(settings: Settings) -> Iterator[ExporterFault]:
    if "batch" in settings:
        yield ExporterFault("batch", "unknown_key", "no batch: snapshots go one by one", "one")
    yield from check_otlp({key: value for key, value in settings.items() if key != "batch"})


def _limits(settings: OtlpSettings, origin: Origin) -> QueueLimits:
    return QueueLimits(
        max_queue_size=settings.batch.max_queue_size,
        max_batch_size=settings.batch.max_batch_size,
        delay_seconds=settings.batch.schedule_delay_seconds,
        close_seconds=min(settings.shutdown_timeout_seconds, origin.close_seconds),
    )


SPANS: Final = ExporterKind(check_otlp, _span_exporter, _EXTRA)
METRICS: Final = ExporterKind(_check_metrics, _metric_exporter, _EXTRA)
LOGS: Final = ExporterKind(check_otlp, _log_exporter, _EXTRA)
