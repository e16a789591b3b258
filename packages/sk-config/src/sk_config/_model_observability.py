"""`runtime.observability`: what is traced and logged, and where to."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Flag, Ratio, Settings


class TraceExporterConfig(ConfigModel):
    """A place that spans go to."""

    kind: Literal["jsonl", "stdout", "otel_otlp", "opentracing_bridge"] = Field(
        description="The exporter of spans"
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
    """A place that log events go to."""

    kind: Literal["stdout", "jsonl", "otel_logs_otlp"] = Field(
        description="The exporter of log events"
    )
    settings: Settings = Field(default={}, description="The exporter's own settings")


class LifecycleEventsConfig(ConfigModel):
    """Events of the supervisor and its workers."""

    enabled: Flag = Field(default=True, description="Whether lifecycle events are logged")
    level: Literal["info", "debug"] = Field(
        default="info", description="The least level of the events that are logged"
    )


class LoggingConfig(ConfigModel):
    """Log events."""

    exporters: tuple[LogExporterConfig, ...] = Field(default=(), description="Where log events go")
    lifecycle_events: LifecycleEventsConfig = Field(
        default=LifecycleEventsConfig(), description="Events of the supervisor and its workers"
    )


class ObservabilityConfig(ConfigModel):
    """What is traced and logged."""

    tracing: TracingConfig = Field(default=TracingConfig(), description="Spans and their exporters")
    logging: LoggingConfig = Field(
        default=LoggingConfig(), description="Log events and their exporters"
    )
