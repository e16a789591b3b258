"""The built-in kinds of exporter: `jsonl` and `stdout`, and loaders for the kinds with an extra.

The kinds that need an extra are in modules of their own, imported when such a kind is looked up.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace
from sk_kernel import LifecycleEvent, NodeSpan
from sk_kernel.runtime import is_path

from sk_observability._building.formats import events_as_json, events_as_text, spans_as_text
from sk_observability._exporting.checks import Problem, Table, check_settings, seconds
from sk_observability._exporting.exporter import ExporterKind, Origin, Settings
from sk_observability._lines.exporter import LineExporter
from sk_observability._lines.file import LineFile
from sk_observability._lines.queue import LineLimits
from sk_observability._metrics.metric import MetricsSnapshot
from sk_observability._spans.lines import SpanLines
from sk_observability.errors import ExporterFault

T = TypeVar("T")

_SPANS: Final = LineLimits(delay_seconds=1.0)
"""Spans are collected for a second: waking the writer for each batch costs more than the write."""
_EVENTS: Final = LineLimits(waits=False)
"""Events come from the supervisor's main loop, which must never wait for a file."""
_TIMES: Final[Table] = {
    "stall_timeout_seconds": seconds(3600),
    "shutdown_timeout_seconds": seconds(60),
}


class LineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Checked settings of `jsonl` and `stdout`; `stdout` has no path."""

    path: str | None = None
    stall_timeout_seconds: float = 1.0
    shutdown_timeout_seconds: float = 5.0


def _lines(
    settings: Settings, origin: Origin, encode: Callable[[Sequence[T]], bytes], limits: LineLimits
) -> LineExporter[T]:
    read = msgspec.convert(settings, LineSettings)
    limits = replace(
        limits,
        stall_seconds=read.stall_timeout_seconds,
        close_seconds=min(read.shutdown_timeout_seconds, origin.close_seconds),
    )
    return LineExporter(LineFile(read.path), encode, limits)


def _jsonl_events(settings: Settings, origin: Origin) -> LineExporter[LifecycleEvent]:
    return _lines(settings, origin, events_as_json, _EVENTS)


def _stdout_events(settings: Settings, origin: Origin) -> LineExporter[LifecycleEvent]:
    return _lines(settings, origin, events_as_text, _EVENTS)


def _jsonl_spans(settings: Settings, origin: Origin) -> LineExporter[NodeSpan]:
    return _lines(settings, origin, SpanLines(origin), _SPANS)


def _stdout_spans(settings: Settings, origin: Origin) -> LineExporter[NodeSpan]:
    return _lines(settings, origin, partial(spans_as_text, origin=origin), _SPANS)


def _check_stdout(settings: Settings) -> Iterator[ExporterFault]:
    yield from check_settings(settings, _TIMES)


def _check_jsonl(settings: Settings) -> Iterator[ExporterFault]:
    yield from check_settings(settings, {"path": _path, **_TIMES})
    if "path" not in settings:
        yield ExporterFault("path", "missing", "a file's path", "nothing")


def _path(value: object) -> Problem | None:
    if not isinstance(value, str):
        return "wrong_type", "a file's path", type(value).__name__
    problem = _path_problem(value)
    return ("bad_value", "a file that can be written", problem) if problem else None


def _path_problem(path: str) -> str | None:
    folder = os.path.dirname(path) or "."
    if not path or not is_path(path):
        return "a text that is no path"
    if not os.path.isdir(folder) or not _has_folder(path):
        return "one in a folder that does not exist"
    if os.path.isdir(path):
        return "a folder"
    if os.path.exists(path):
        if stat.S_ISSOCK(os.stat(path).st_mode):
            return "a socket"
        return None if os.access(path, os.W_OK) else "one that must not be written"
    return None if os.access(folder, os.W_OK | os.X_OK) else "one in a folder that is read-only"


def _has_folder(path: str) -> bool:
    """Whether the path can be made absolute: the working directory may have been deleted."""
    try:
        os.path.abspath(path)
    except OSError:
        return False
    return True


def _otlp_events() -> ExporterKind[LifecycleEvent]:
    from sk_observability._otlp.kinds import LOGS

    return LOGS


def _otlp_spans() -> ExporterKind[NodeSpan]:
    from sk_observability._otlp.kinds import SPANS

    return SPANS


def _opentracing_bridge() -> ExporterKind[NodeSpan]:
    from sk_observability._opentracing.kind import BRIDGE

    return BRIDGE


def _otlp_metrics() -> ExporterKind[MetricsSnapshot]:
    from sk_observability._otlp.kinds import METRICS

    return METRICS


LOG_KINDS: Final[Mapping[str, Callable[[], ExporterKind[LifecycleEvent]]]] = {
    "jsonl": lambda: ExporterKind(_check_jsonl, _jsonl_events),
    "otel_logs_otlp": _otlp_events,
    "stdout": lambda: ExporterKind(_check_stdout, _stdout_events),
}
SPAN_KINDS: Final[Mapping[str, Callable[[], ExporterKind[NodeSpan]]]] = {
    "jsonl": lambda: ExporterKind(_check_jsonl, _jsonl_spans),
    "opentracing_bridge": _opentracing_bridge,
    "otel_otlp": _otlp_spans,
    "stdout": lambda: ExporterKind(_check_stdout, _stdout_spans),
}
METRIC_KINDS: Final[Mapping[str, Callable[[], ExporterKind[MetricsSnapshot]]]] = {
    "otel_otlp": _otlp_metrics,
}
