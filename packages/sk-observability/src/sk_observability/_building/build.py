"""Building the configured exporters, or reporting every fault of their configuration."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from msgspec import structs
from sk_kernel import LifecycleEvent, NodeSpan

from sk_observability._building.blame import raised
from sk_observability._building.built_in import LOG_KINDS, METRIC_KINDS, SPAN_KINDS
from sk_observability._exporting.exporter import (
    DeferredExporter,
    Exporter,
    ExporterKind,
    Origin,
    Settings,
)
from sk_observability._exporting.kinds import Kinds
from sk_observability._exporting.outlet import Outlet
from sk_observability._exporting.reasons import CONTAINED
from sk_observability._exporting.threaded import ThreadedExporter, ThreadLimits
from sk_observability._metrics.metric import MetricsSnapshot
from sk_observability.errors import ExporterFault, ExporterSetupError

T = TypeVar("T")

Choice = tuple[str, Settings]
"""One entry of `exporters` in the configuration: `kind` and `settings`."""

LOG_PATH: Final = "runtime.observability.logging.exporters"
SPAN_PATH: Final = "runtime.observability.tracing.exporters"
METRIC_PATH: Final = "runtime.observability.metrics.exporters"
_LOG: Final = Kinds("sk_observability.log_exporters", LOG_KINDS)
_SPAN: Final = Kinds("sk_observability.span_exporters", SPAN_KINDS)
_METRIC: Final = Kinds("sk_observability.metric_exporters", METRIC_KINDS)
_SPAN_LIMITS: Final = ThreadLimits(room=32_768, stall_seconds=1.0)
_EVENT_LIMITS: Final = ThreadLimits(room=20_000)  # as many as the kind `jsonl` holds
_METRIC_LIMITS: Final = ThreadLimits(room=2)  # one is being exported and one waits


def check_exporters(
    log: Iterable[Choice] = (), span: Iterable[Choice] = (), metric: Iterable[Choice] = ()
) -> tuple[ExporterFault, ...]:
    """Return every fault of the choices, for a preflight. Opens no file and makes no exporter."""
    return (
        *_resolve(_LOG, log, LOG_PATH)[0],
        *_resolve(_SPAN, span, SPAN_PATH)[0],
        *_resolve(_METRIC, metric, METRIC_PATH)[0],
    )


def build_log_exporters(
    choices: Iterable[Choice],
    *,
    worker: str | None = None,
    close_seconds: float = math.inf,
    run_id: str | None = None,
) -> list[Outlet[LifecycleEvent]]:
    """Make the exporters of lifecycle events, in the order of the choices.

    `worker` and `run_id` are the exporting worker and its run, as the exported data names them;
    `close_seconds` is the longest that closing one exporter may take.

    :raises ExporterSetupError: with every fault; nothing is left open.
    """
    origin = Origin(worker, close_seconds, run_id)
    return _build(_LOG, choices, LOG_PATH, origin, _EVENT_LIMITS)


def build_span_exporters(
    choices: Iterable[Choice],
    *,
    worker: str | None = None,
    close_seconds: float = math.inf,
    run_id: str | None = None,
) -> list[Outlet[NodeSpan]]:
    """Make the exporters of node spans, in the order of the choices; see `build_log_exporters`.

    :raises ExporterSetupError: with every fault; nothing is left open.
    """
    origin = Origin(worker, close_seconds, run_id)
    return _build(_SPAN, choices, SPAN_PATH, origin, _SPAN_LIMITS)


def build_metric_exporters(
    choices: Iterable[Choice],
    *,
    worker: str | None = None,
    close_seconds: float = math.inf,
    run_id: str | None = None,
) -> list[Outlet[MetricsSnapshot]]:
    """Make the exporters of metrics, in the order of the choices; see `build_log_exporters`.

    :raises ExporterSetupError: with every fault; nothing is left open.
    """
    origin = Origin(worker, close_seconds, run_id)
    return _build(_METRIC, choices, METRIC_PATH, origin, _METRIC_LIMITS)


_Resolved = list[tuple[str, str, ExporterKind[T], Settings]]


def _resolve(
    kinds: Kinds[T], choices: Iterable[Choice], path: str
) -> tuple[list[ExporterFault], _Resolved[T]]:
    faults: list[ExporterFault] = []
    resolved: _Resolved[T] = []
    for index, (name, settings) in enumerate(choices):
        here = f"{path}[{index}]"
        kind = kinds.find(name, f"{here}.kind")
        if isinstance(kind, ExporterFault):
            faults.append(kind)
        else:
            faults += _faults(kind, settings, f"{here}.settings")
            resolved.append((here, name, kind, settings))
    return faults, resolved


def _faults(kind: ExporterKind[T], settings: Settings, path: str) -> Sequence[ExporterFault]:
    # `check` may be another package's code: an exception that it raises is reported as a fault.
    try:
        return [replace(fault, path=f"{path}.{fault.path}") for fault in kind.check(settings)]
    except CONTAINED as error:
        problem = f"some on which its check raises {raised(error, settings)}"
        return [ExporterFault(path, "bad_value", "settings that the kind can check", problem)]


def _build(
    kinds: Kinds[T], choices: Iterable[Choice], path: str, origin: Origin, limits: ThreadLimits
) -> list[Outlet[T]]:
    faults, resolved = _resolve(kinds, choices, path)
    built: list[Outlet[T]] = []
    for here, name, kind, settings in () if faults else resolved:
        try:
            exporter = kind.build(settings, origin)
        except CONTAINED as error:  # as in _faults; reported below in an ExporterSetupError
            problem = raised(error, settings)
            faults.append(ExporterFault(here, "not_opened", "an exporter that opens", problem))
            continue
        if all(callable(getattr(exporter, call, None)) for call in ("export", "close")):
            built.append(Outlet(name, _deferred(name, exporter, origin, limits)))
        else:
            problem = f"an object of the class {type(exporter).__name__}"
            faults.append(ExporterFault(here, "not_opened", "one with export and close", problem))
    if faults:
        for outlet in built:
            outlet.close()
        raise ExporterSetupError(faults)
    return built


def _deferred(
    name: str, exporter: Exporter[T], origin: Origin, limits: ThreadLimits
) -> Exporter[T]:
    """Return a `DeferredExporter` as it is; wrap any other exporter in a thread of its own."""
    if isinstance(exporter, DeferredExporter):
        return exporter
    close_seconds = min(limits.close_seconds, origin.close_seconds)
    return ThreadedExporter(name, exporter, structs.replace(limits, close_seconds=close_seconds))
