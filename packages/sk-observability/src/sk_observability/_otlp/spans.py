"""Conversion of node spans to OpenTelemetry spans, which keep their ids."""

from __future__ import annotations

from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from sk_kernel import NodeSpan

from sk_observability._exporting.exporter import Origin
from sk_observability._otlp.resource import SCOPE, resource_of
from sk_observability._otlp.sender import OtlpSender, otlp_sender
from sk_observability._otlp.settings import OtlpSettings

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_FINE: Final = Status(StatusCode.UNSET)
_KINDS: Final = {
    "internal": SpanKind.INTERNAL,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}


def sender(settings: OtlpSettings, origin: Origin) -> OtlpSender[NodeSpan]:
    """Return a sender of this process's spans."""
    resource = resource_of(settings, origin)
    return otlp_sender("spans", settings, lambda spans: [_converted(s, resource) for s in spans])


def _converted(span: NodeSpan, resource: Resource) -> ReadableSpan:
    trace = int(span.trace_id, 16)
    parent = None
    if span.parent_id is not None:
        remote = span.handoff_from is not None
        parent = SpanContext(trace, int(span.parent_id, 16), remote, _SAMPLED)
    error = span.error
    return ReadableSpan(
        name=span.name,
        context=SpanContext(trace, int(span.span_id, 16), False, _SAMPLED),
        parent=parent,
        resource=resource,
        attributes=_attributes(span),
        events=() if error is None else (_exception(error, span.end_ns),),
        links=[_link(link.trace_id, link.span_id) for link in span.links],
        kind=_KINDS[span.kind],
        status=_FINE if error is None else Status(StatusCode.ERROR, error),
        start_time=span.start_ns,
        end_time=span.end_ns,
        instrumentation_scope=SCOPE,
    )


def _attributes(span: NodeSpan) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        "process_group": span.process_group,
        "route_hop": span.route_hop,
        "sequence": span.sequence,
        **span.attributes,
    }
    if span.handoff_from is not None:
        attributes["handoff_from"] = span.handoff_from
    if span.error is not None:
        attributes["error.type"] = span.error
    return attributes


def _link(trace_id: str, span_id: str) -> Link:
    return Link(SpanContext(int(trace_id, 16), int(span_id, 16), True, _SAMPLED))


def _exception(error: str, at_ns: int) -> Event:
    return Event("exception", {"exception.type": error}, at_ns)
