"""The kinds `otel_otlp`, for spans and for metrics, and `otel_logs_otlp`, for events.

Nothing of OpenTelemetry is imported here, but in the thread that sends, when it first does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Final

from msgspec import structs
from sk_kernel import LifecycleEvent, NodeSpan

from sk_observability._exporter import Exporter, ExporterKind, Extra, Origin, Settings
from sk_observability._metric import MetricsSnapshot
from sk_observability._otlp_heard import Heard, OtlpSender
from sk_observability._otlp_settings import OtlpSettings, check_otlp, read_otlp
from sk_observability._queued import QueuedExporter, QueueLimits
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
"""Held while modules of OpenTelemetry are imported, each signal having a thread of its own.

They import each other in circles, and of two threads that enter a circle at two places CPython
gives one a module that is half made, rather than have them wait for each other: an ImportError.
"""


def _span_exporter(settings: Settings, origin: Origin) -> Exporter[NodeSpan]:
    read = read_otlp(settings)
    return QueuedExporter("spans", lambda: _span_sender(read, origin), _limits(read, origin))


def _log_exporter(settings: Settings, origin: Origin) -> Exporter[LifecycleEvent]:
    read = read_otlp(settings)
    return QueuedExporter("events", lambda: _log_sender(read, origin), _limits(read, origin))


def _span_sender(settings: OtlpSettings, origin: Origin) -> OtlpSender[NodeSpan]:
    _keep_off_stderr()
    heard = Heard()
    with _IMPORTING:
        if settings.protocol == "grpc":
            from sk_observability._otlp_grpc import span_connector
        else:
            from sk_observability._otlp_http import span_connector
        from sk_observability._otlp_resource import resource_of
        from sk_observability._otlp_spans import span_converter

        connect = span_connector(settings, heard)
        convert = span_converter(resource_of(settings, origin))
    return OtlpSender(connect, heard, convert)


def _log_sender(settings: OtlpSettings, origin: Origin) -> OtlpSender[LifecycleEvent]:
    _keep_off_stderr()
    heard = Heard()
    with _IMPORTING:
        if settings.protocol == "grpc":
            from sk_observability._otlp_grpc import log_connector
        else:
            from sk_observability._otlp_http import log_connector
        from sk_observability._otlp_logs import log_converter
        from sk_observability._otlp_resource import resource_of

        connect = log_connector(settings, heard)
        convert = log_converter(resource_of(settings, origin))
    return OtlpSender(connect, heard, convert)


def _metric_exporter(settings: Settings, origin: Origin) -> Exporter[MetricsSnapshot]:
    read = read_otlp(settings)
    # One goes and one waits: an older snapshot says nothing that a newer one does not.
    limits = structs.replace(
        _limits(read, origin), max_queue_size=2, max_batch_size=1, newest_wins=True
    )
    return QueuedExporter("metrics", lambda: _metric_sender(read, origin), limits)


def _metric_sender(settings: OtlpSettings, origin: Origin) -> OtlpSender[MetricsSnapshot]:
    _keep_off_stderr()
    heard = Heard()
    with _IMPORTING:
        if settings.protocol == "grpc":
            from sk_observability._otlp_grpc import metric_connector
        else:
            from sk_observability._otlp_http import metric_connector
        from sk_observability._otlp_metrics import metric_converter
        from sk_observability._otlp_resource import resource_of

        connect = metric_connector(settings, heard)
        convert = metric_converter(resource_of(settings, origin))
    return OtlpSender(connect, heard, convert)


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


def _keep_off_stderr() -> None:
    """Failures are counted; who wants OpenTelemetry's own words sets up logging for them."""
    logger = logging.getLogger("opentelemetry")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


SPANS: Final = ExporterKind(check_otlp, _span_exporter, _EXTRA)
METRICS: Final = ExporterKind(_check_metrics, _metric_exporter, _EXTRA)
LOGS: Final = ExporterKind(check_otlp, _log_exporter, _EXTRA)
