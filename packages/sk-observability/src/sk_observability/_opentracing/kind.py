"""The kind `opentracing_bridge`: makes an `opentracing.Tracer` and reports spans to it."""

from __future__ import annotations

import string
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import msgspec
from sk_kernel import NodeSpan

from sk_observability._exporting.checks import Problem, Table, check_settings, seconds, texts, whole
from sk_observability._exporting.exporter import Exporter, ExporterKind, Extra, Origin, Settings
from sk_observability._exporting.queued import QueuedExporter
from sk_observability._exporting.sender import QueueLimits
from sk_observability.errors import ExporterFault

_EXTRA: Final = Extra("sk-observability[opentracing]", ("opentracing",))
_TRACER: Final = "module:factory of an installed module"
_CARRIER: Final = "a mapping of names to templates of {trace_id} and {span_id}"


class BridgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings that passed `check_bridge`."""

    tracer: str
    arguments: dict[str, Any] = {}
    carrier: dict[str, str] | None = None
    max_queue_size: int = 32_768
    shutdown_timeout_seconds: float = 5.0


def check_bridge(settings: Settings) -> Iterator[ExporterFault]:
    """Yield every fault of the settings. The tracer's module is searched, but not imported."""
    yield from check_settings(settings, _TABLE)
    if "tracer" not in settings:
        yield ExporterFault("tracer", "missing", _TRACER, "nothing")


def _exporter(settings: Settings, origin: Origin) -> Exporter[NodeSpan]:
    # Made here, not in the thread: a factory that raises is a fault of the configuration.
    from sk_observability._opentracing.bridge import TracerBridge

    read = msgspec.convert(settings, BridgeSettings)
    module, _, factory = read.tracer.partition(":")
    tracer = getattr(import_module(module), factory)(**read.arguments)
    seconds_to_close = min(read.shutdown_timeout_seconds, origin.close_seconds)
    bridge = TracerBridge(tracer, read.carrier, origin, seconds_to_close)
    limits = QueueLimits(max_queue_size=read.max_queue_size, close_seconds=seconds_to_close)
    return QueuedExporter("spans", lambda: bridge, limits)


def _tracer(value: object) -> Problem | None:
    if not isinstance(value, str):
        return "wrong_type", _TRACER, type(value).__name__
    module, colon, factory = value.partition(":")
    names = [*module.split("."), factory]
    if not colon or not all(name.isidentifier() for name in names):
        return "bad_value", _TRACER, "another text"
    try:
        found = find_spec(module) is not None
    except ModuleNotFoundError:  # a parent package is not installed
        found = False
    return None if found else ("bad_value", _TRACER, "one of a module that is not installed")


def _arguments(value: object) -> Problem | None:
    fine = isinstance(value, dict) and all(isinstance(key, str) for key in value)
    return None if fine else ("wrong_type", "a mapping of arguments", type(value).__name__)


def _carrier(value: object) -> Problem | None:
    problem = texts(_CARRIER)(value)
    if problem or not isinstance(value, dict):
        return problem
    try:
        fields = [field for each in value.values() for _, field, *_ in _PARSE(each)]
    except ValueError:
        fields = ["?"]
    fine = {field for field in fields if field is not None} <= {"trace_id", "span_id"}
    return None if fine else ("bad_value", _CARRIER, "another template")


_PARSE: Final = string.Formatter().parse
_TABLE: Final[Table] = {
    "tracer": _tracer,
    "arguments": _arguments,
    "carrier": _carrier,
    "max_queue_size": whole(1, 10_000_000),
    "shutdown_timeout_seconds": seconds(60),
}
BRIDGE: Final = ExporterKind(check_bridge, _exporter, _EXTRA)
