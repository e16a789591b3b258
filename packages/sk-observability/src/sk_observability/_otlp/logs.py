"""Conversion of lifecycle events to OpenTelemetry log records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    set_span_in_context,
)
from sk_kernel import LifecycleEvent

from sk_observability._events.severity import severity_of
from sk_observability._exporting.exporter import Origin
from sk_observability._otlp.resource import SCOPE, resource_of
from sk_observability._otlp.sender import OtlpSender, otlp_sender
from sk_observability._otlp.settings import OtlpSettings

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)


def sender(settings: OtlpSettings, origin: Origin) -> OtlpSender[LifecycleEvent]:
    """Return a sender of this process's lifecycle events."""
    resource = resource_of(settings, origin)

    def convert(events: Sequence[LifecycleEvent]) -> list[ReadableLogRecord]:
        return [ReadableLogRecord(_record(event), resource, SCOPE) for event in events]

    return otlp_sender("logs", settings, convert)


def _record(event: LifecycleEvent) -> LogRecord:
    severity = SeverityNumber[severity_of(event).upper()]
    facts = {
        "correlation_id": event.correlation_id,
        "sequence": event.sequence,
        "process_group": event.group,
        "worker": event.worker,
        **event.fields,
    }
    return LogRecord(
        timestamp=event.time_ns,
        observed_timestamp=event.time_ns,
        context=_context_of(event),
        severity_text=severity.name,
        severity_number=severity,
        body=str(event.name),
        attributes={key: value for key, value in facts.items() if value is not None},
        event_name=str(event.name),
    )


def _context_of(event: LifecycleEvent) -> Context:
    """Return the context of the event's trace, without a span."""
    if event.trace_id is None:
        return Context()
    context = SpanContext(int(event.trace_id, 16), 0, is_remote=False, trace_flags=_SAMPLED)
    return set_span_in_context(NonRecordingSpan(context), Context())
