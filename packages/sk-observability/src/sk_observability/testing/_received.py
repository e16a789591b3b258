"""The received spans, log records and metric points, read from OTLP requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Value = str | bool | int | float | bytes | None
Attributes = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """A span, with its ids in hexadecimal; `kind` is 1 (internal), 4 (producer) or 5 (consumer).

    `resource` holds the attributes of the sending process, `links` pairs of a trace id and a span
    id, and `events` names, times and attributes. `error` is the status description if the status is
    an error; `parent_is_remote` is true if the parent is in another process.
    """

    resource: Attributes
    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: int
    start_ns: int
    end_ns: int
    attributes: Attributes
    links: tuple[tuple[str, str], ...]
    error: str | None
    events: tuple[tuple[str, int, Attributes], ...]
    parent_is_remote: bool


@dataclass(frozen=True, slots=True)
class ReceivedLog:
    """A log record, with its trace id in hexadecimal; `severity` as in the protocol (9: info).

    `resource` holds the attributes of the sending process.
    """

    resource: Attributes
    time_ns: int
    severity: int
    severity_text: str
    event_name: str
    body: Value
    trace_id: str | None
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class ReceivedPoint:
    """One value of the metric `name`, whose `kind` is `sum`, `gauge` or `histogram`.

    For a histogram `value` is the sum of the measurements, `bounds` are the upper bounds of the
    buckets, and `buckets` the number of measurements in each; there is one more bucket than bounds.
    """

    resource: Attributes
    name: str
    unit: str
    kind: str
    attributes: Attributes
    start_ns: int
    time_ns: int
    value: float
    buckets: tuple[int, ...] = ()
    bounds: tuple[float, ...] = ()


_ERROR = 2
_REMOTE = 0x200


def spans_of(request: Any) -> Iterator[ReceivedSpan]:
    """Yield the spans of an `ExportTraceServiceRequest`."""
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield ReceivedSpan(
                    resource=resource,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex() or None,
                    name=span.name,
                    kind=span.kind,
                    start_ns=span.start_time_unix_nano,
                    end_ns=span.end_time_unix_nano,
                    attributes=_attributes(span.attributes),
                    links=tuple((x.trace_id.hex(), x.span_id.hex()) for x in span.links),
                    error=span.status.message if span.status.code == _ERROR else None,
                    events=tuple(
                        (event.name, event.time_unix_nano, _attributes(event.attributes))
                        for event in span.events
                    ),
                    parent_is_remote=bool(span.flags & _REMOTE),
                )


def logs_of(request: Any) -> Iterator[ReceivedLog]:
    """Yield the log records of an `ExportLogsServiceRequest`."""
    for group in request.resource_logs:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_logs:
            for record in scope.log_records:
                yield ReceivedLog(
                    resource=resource,
                    time_ns=record.time_unix_nano,
                    severity=record.severity_number,
                    severity_text=record.severity_text,
                    event_name=record.event_name,
                    body=_value(record.body),
                    trace_id=record.trace_id.hex() or None,
                    attributes=_attributes(record.attributes),
                )


def points_of(request: Any) -> Iterator[ReceivedPoint]:
    """Yield the metric points of an `ExportMetricsServiceRequest`."""
    for group in request.resource_metrics:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                for point in getattr(metric, kind).data_points:
                    number = point.WhichOneof("value") if kind != "histogram" else "sum"
                    yield ReceivedPoint(
                        resource=resource,
                        name=metric.name,
                        unit=metric.unit,
                        kind=kind,
                        attributes=_attributes(point.attributes),
                        start_ns=point.start_time_unix_nano,
                        time_ns=point.time_unix_nano,
                        value=getattr(point, number),
                        buckets=tuple(getattr(point, "bucket_counts", ())),
                        bounds=tuple(getattr(point, "explicit_bounds", ())),
                    )


def _attributes(pairs: Iterable[Any]) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Value:
    kind = value.WhichOneof("value")
    plain: Value = getattr(value, kind) if kind else None
    return plain
