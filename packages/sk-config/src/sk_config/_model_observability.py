"""`runtime.observability`: what is traced, logged and measured, and where to."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Flag, Label, Ratio, Seconds, Settings


class TraceExporterConfig(ConfigModel):
    """An exporter of spans."""

    kind: Label = Field(
        description="The exporter of spans: jsonl, stdout, otel_otlp, opentracing_bridge, or one"
        " that another package provides"
    )
    settings: Settings = Field(default={}, description="The exporter's own settings")


class TracingConfig(ConfigModel):
    """Spans of nodes and of the lifecycle."""

    sampling_ratio: Ratio = Field(
        default=1.0, description="The share of traces that are recorded, decided once per trace"
    )
    exporters: tuple[TraceExporterConfig, ...] = Field(
        default=(), description="Where spans go; without exporters nothing is traced"
    )


class LogExporterConfig(ConfigModel):
    """An exporter of log events."""

    kind: Label = Field(
        description="The exporter of log events: stdout, jsonl, otel_logs_otlp, or one that another"
        " package provides"
    )
    settings: Settings = Field(default={}, description="The exporter's own settings")


class LifecycleEventsConfig(ConfigModel):
    """Events of the supervisor and its workers."""

    enabled: Flag = Field(default=True, description="Whether lifecycle events are logged")
    level: Literal["info", "debug"] = Field(
        default="info", description="The least level of the events that are logged"
    )
    worker_output: Flag = Field(
        default=False,
        description="Whether lines that workers write to their output become events of level debug;"
        " such lines may show what is in a record",
    )


class LoggingConfig(ConfigModel):
    """Log events and their exporters."""

    exporters: tuple[LogExporterConfig, ...] = Field(default=(), description="Where log events go")
    lifecycle_events: LifecycleEventsConfig = Field(
        default=LifecycleEventsConfig(), description="Events of the supervisor and its workers"
    )


class MetricsExporterConfig(ConfigModel):
    """An exporter of metrics."""

    kind: Label = Field(
        description="The exporter of metrics: otel_otlp, or one that another package provides"
    )
    settings: Settings = Field(default={}, description="The exporter's own settings")


class MetricsConfig(ConfigModel):
    """Metrics of the run, its groups and workers."""

    prometheus: Flag = Field(
        default=False, description="Whether the HTTP listener for probes answers /metrics too"
    )
    interval_seconds: Seconds = Field(default=10, description="Seconds between two exports")
    exporters: tuple[MetricsExporterConfig, ...] = Field(
        default=(), description="Where metrics are sent to"
    )


class ObservabilityConfig(ConfigModel):
    """What is traced, logged and measured."""

    tracing: TracingConfig = Field(default=TracingConfig(), description="Spans and their exporters")
    logging: LoggingConfig = Field(
        default=LoggingConfig(), description="Log events and their exporters"
    )
    metrics: MetricsConfig = Field(
        default=MetricsConfig(), description="Metrics and their exporters"
    )
