"""The kinds of this package: `jsonl`, with a `path`, and `stdout`; and where the others are.

Those that need an extra lie in modules of their own, imported when one of them is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from sk_kernel import LifecycleEvent, NodeSpan

from sk_observability._exporter import ExporterKind, Origin, Settings
from sk_observability._formats import events_as_json, events_as_text, spans_as_json, spans_as_text
from sk_observability._lines import STDOUT, LineExporter, open_to_append
from sk_observability._metric import MetricsSnapshot
from sk_observability.errors import ExporterFault


def _jsonl_events(settings: Settings, _: Origin) -> LineExporter[LifecycleEvent]:
    return LineExporter(open_to_append(str(settings["path"])), events_as_json)


def _stdout_events(_: Settings, __: Origin) -> LineExporter[LifecycleEvent]:
    return LineExporter(STDOUT, events_as_text)


def _jsonl_spans(settings: Settings, origin: Origin) -> LineExporter[NodeSpan]:
    encode = partial(spans_as_json, worker=origin.worker)
    return LineExporter(open_to_append(str(settings["path"])), encode)


def _stdout_spans(_: Settings, origin: Origin) -> LineExporter[NodeSpan]:
    return LineExporter(STDOUT, partial(spans_as_text, worker=origin.worker))


def _no_settings(settings: Settings) -> Iterator[ExporterFault]:
    for key in settings:
        yield ExporterFault(str(key), "unknown_key", "no settings", "a setting")


def _path_settings(settings: Settings) -> Iterator[ExporterFault]:
    for key in settings:
        if key != "path":
            yield ExporterFault(str(key), "unknown_key", "the one setting 'path'", "another one")
    if "path" not in settings:
        yield ExporterFault("path", "missing", "a file's path", "nothing")
    elif not isinstance(path := settings["path"], str):
        yield ExporterFault("path", "wrong_type", "a file's path", type(path).__name__)
    elif problem := _path_problem(path):
        yield ExporterFault("path", "bad_value", "a file that can be written", problem)


def _path_problem(path: str) -> str | None:
    folder = os.path.dirname(path) or "."
    if not path or "\0" in path:
        return "a text that is no path"
    if not os.path.isdir(folder):
        return "one in a folder that does not exist"
    if os.path.isdir(path):
        return "a folder"
    if os.path.exists(path):
        return None if os.access(path, os.W_OK) else "one that must not be written"
    return None if os.access(folder, os.W_OK | os.X_OK) else "one in a folder that is read-only"


def _otlp_events() -> ExporterKind[LifecycleEvent]:
    from sk_observability._otlp import LOGS

    return LOGS


def _otlp_spans() -> ExporterKind[NodeSpan]:
    from sk_observability._otlp import SPANS

    return SPANS


def _opentracing_bridge() -> ExporterKind[NodeSpan]:
    from sk_observability._opentracing import BRIDGE

    return BRIDGE


def _otlp_metrics() -> ExporterKind[MetricsSnapshot]:
    from sk_observability._otlp import METRICS

    return METRICS


LOG_KINDS: Final[Mapping[str, Callable[[], ExporterKind[LifecycleEvent]]]] = {
    "jsonl": lambda: ExporterKind(_path_settings, _jsonl_events),
    "otel_logs_otlp": _otlp_events,
    "stdout": lambda: ExporterKind(_no_settings, _stdout_events),
}
SPAN_KINDS: Final[Mapping[str, Callable[[], ExporterKind[NodeSpan]]]] = {
    "jsonl": lambda: ExporterKind(_path_settings, _jsonl_spans),
    "opentracing_bridge": _opentracing_bridge,
    "otel_otlp": _otlp_spans,
    "stdout": lambda: ExporterKind(_no_settings, _stdout_spans),
}
METRIC_KINDS: Final[Mapping[str, Callable[[], ExporterKind[MetricsSnapshot]]]] = {
    "otel_otlp": _otlp_metrics,
}
