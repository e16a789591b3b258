"""The formats of events and spans: lines of JSON, and readable lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import asdict
from sk_kernel import LifecycleEvent, NodeSpan

from sk_observability._events.severity import severity_of
from sk_observability._exporting.exporter import Origin
from sk_observability._spans.lines import span_line

_EPOCH: Final = datetime(1970, 1, 1)
_json_lines = msgspec.json.Encoder().encode_lines


def events_as_json(events: Sequence[LifecycleEvent]) -> bytes:
    """Return one line of JSON per event; the keys below, in this order, are the format."""
    return _json_lines(
        [
            {
                "sequence": event.sequence,
                "time": rfc3339(event.time_ns),
                "event": event.name,
                "level": severity_of(event),
                "correlation_id": event.correlation_id,
                "trace_id": event.trace_id,
                "group": event.group,
                "worker": event.worker,
                "fields": event.fields,
            }
            for event in events
        ]
    )


def events_as_text(events: Sequence[LifecycleEvent]) -> bytes:
    """Return one readable line per event."""
    return _text_lines(
        [
            f"{rfc3339(event.time_ns)} {severity_of(event):5} {shown(event.name)}",
            facts({"group": event.group, "worker": event.worker}),
            facts(event.fields),
            facts(
                {
                    "sequence": event.sequence,
                    "correlation_id": event.correlation_id,
                    "trace_id": event.trace_id,
                }
            ),
        ]
        for event in events
    )


def spans_as_text(spans: Sequence[NodeSpan], origin: Origin) -> bytes:
    """Return one readable line per span; `us` is its duration in microseconds."""
    return _text_lines(
        [
            f"{rfc3339(span.start_ns)} span  {shown(span.name)}",
            facts({"us": (span.end_ns - span.start_ns) / 1000, **_span_facts(span, origin)}),
        ]
        for span in spans
    )


def rfc3339(time_ns: int) -> str:
    """Format nanoseconds since the epoch as RFC 3339 in UTC: `2024-02-29T23:59:59.000000001Z`."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    return f"{(_EPOCH + timedelta(seconds=seconds)).isoformat()}.{nanoseconds:09d}Z"


def facts(values: Mapping[str, object]) -> str:
    """Format a mapping as `key=value key=value`, always on one line; None values are left out."""
    return " ".join(f"{shown(k)}={shown(v)}" for k, v in values.items() if v is not None)


def shown(value: object) -> str:
    """Format a value as one word, or quoted, without characters that control a terminal."""
    text = str(value)
    plain = text.isprintable() and not set(text) & set(" ='\"\\")
    return text if text and plain else repr(text)


def _span_facts(span: NodeSpan, origin: Origin) -> dict[str, object]:
    """Return a span's fields for reading: links as their number, default values as None."""
    line = asdict(span_line(span, origin))
    kind, links, attributes = line.pop("kind"), line.pop("links"), line.pop("attributes")
    return {
        **line,
        "kind": kind if kind != "internal" else None,
        "links": len(links) or None,
        **attributes,
    }


def _text_lines(lines: Iterable[Sequence[str]]) -> bytes:
    return "".join([" ".join(filter(None, parts)) + "\n" for parts in lines]).encode()
