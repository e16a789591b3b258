"""`runtime.observability`: what is traced, logged and measured, and the exporters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Flag, Label, Ratio, Seconds, Settings


class TraceExporterConfig(ConfigModel):
    """An exporter of spans."""

    kind: Label = Field(
        description="`jsonl`, `stdout`, `otel_otlp`, `opentracing_bridge`, or a kind that an"
        " installed package provides"
    )
    settings: Settings = Field(
        default={}, description="Settings of the exporter, which validates them"
    )


class TracingConfig(ConfigModel):
    """Spans of nodes and of the lifecycle."""

    sampling_ratio: Ratio = Field(
        default=1.0, description="Share of traces that are recorded, decided once per trace"
    )
    exporters: tuple[TraceExporterConfig, ...] = Field(
        default=(), description="Exporters of spans; without any, nothing is traced"
    )


class LogExporterConfig(ConfigModel):
    """An exporter of lifecycle events."""

    kind: Label = Field(
        description="`stdout`, `jsonl`, `otel_logs_otlp`, or a kind that an installed package"
        " provides"
    )
    settings: Settings = Field(
        default={}, description="Settings of the exporter, which validates them"
    )


class LifecycleEventsConfig(ConfigModel):
    """Events of the supervisor and its workers."""

    enabled: Flag = Field(default=True, description="Whether lifecycle events are recorded")
    level: Literal["info", "debug"] = Field(
        default="info", description="Minimum level of recorded events"
    )
    worker_output: Flag = Field(
        default=False,
        description="Whether lines that workers print become events of level `debug`. Such lines"
        " may contain payloads",
    )


class LoggingConfig(ConfigModel):
    """Lifecycle events and their exporters."""

    exporters: tuple[LogExporterConfig, ...] = Field(
        default=(), description="Exporters of lifecycle events"
    )
    lifecycle_events: LifecycleEventsConfig = Field(
        default=LifecycleEventsConfig(), description="Events of the supervisor and its workers"
    )


class MetricsExporterConfig(ConfigModel):
    """An exporter of metrics."""

    kind: Label = Field(description="`otel_otlp`, or a kind that an installed package provides")
    settings: Settings = Field(
        default={}, description="Settings of the exporter, which validates them"
    )


class MetricsConfig(ConfigModel):
    """Metrics of the run, its groups and workers."""

    prometheus: Flag = Field(
        default=False, description="Whether the HTTP health endpoint serves `/metrics`, too"
    )
    interval_seconds: Seconds = Field(default=10, description="Seconds between two exports")
    exporters: tuple[MetricsExporterConfig, ...] = Field(
        default=(), description="Where metrics are sent to"
    )


class ObservabilityConfig(ConfigModel):
    """What is traced, logged and measured."""

    tracing: TracingConfig = Field(default=TracingConfig(), description="Spans and their exporters")
    logging: LoggingConfig = Field(
        default=LoggingConfig(), description="Lifecycle events and their exporters"
    )
    metrics: MetricsConfig = Field(
        default=MetricsConfig(), description="Metrics and their exporters"
    )
