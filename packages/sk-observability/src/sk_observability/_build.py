"""From the configuration's choices to exporters, or to everything that is wrong with them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from sk_kernel import LifecycleEvent, NodeSpan

from sk_observability._built_in import LOG_KINDS, METRIC_KINDS, SPAN_KINDS
from sk_observability._exporter import ExporterKind, Origin, Settings
from sk_observability._kinds import Kinds
from sk_observability._metric import MetricsSnapshot
from sk_observability._outlet import Outlet
from sk_observability._reasons import reason_of
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


def check_exporters(
    log: Iterable[Choice] = (), span: Iterable[Choice] = (), metric: Iterable[Choice] = ()
) -> tuple[ExporterFault, ...]:
    """Give every fault of the choices, for a preflight. Opens and makes nothing."""
    return (
        *_resolve(_LOG, log, LOG_PATH)[0],
        *_resolve(_SPAN, span, SPAN_PATH)[0],
        *_resolve(_METRIC, metric, METRIC_PATH)[0],
    )


def build_log_exporters(
    choices: Iterable[Choice], *, worker: str | None = None, close_seconds: float = math.inf
) -> list[Outlet[LifecycleEvent]]:
    """Make the exporters of lifecycle events, in the order of the choices.

    `worker` is whom they name as exporting, `close_seconds` the most that closing one may take.

    :raises ExporterSetupError: with every fault; nothing is left open.
    """
    return _build(_LOG, choices, LOG_PATH, Origin(worker, close_seconds))


def build_span_exporters(
    choices: Iterable[Choice],
    *,
    worker: str | None = None,
    close_seconds: float = math.inf,
    run_id: str | None = None,
) -> list[Outlet[NodeSpan]]:
    """Make the exporters of node spans, which name this worker and run, in the choices' order.

    `close_seconds` is the most that closing one may take.

    :raises ExporterSetupError: with every fault; nothing is left open.
    """
    return _build(_SPAN, choices, SPAN_PATH, Origin(worker, close_seconds, run_id))


def build_metric_exporters(
    choices: Iterable[Choice], *, worker: str | None = None, close_seconds: float = math.inf
) -> list[Outlet[MetricsSnapshot]]:
    """Make the exporters of metrics, in the order of the choices; see `build_log_exporters`.

    :raises ExporterSetupError: with every fault; nothing is left open.
    """
    return _build(_METRIC, choices, METRIC_PATH, Origin(worker, close_seconds))


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
    # Another package's check is its own code: what it raises on some settings is a fault of them.
    try:
        return [replace(fault, path=f"{path}.{fault.path}") for fault in kind.check(settings)]
    except Exception as error:  # noqa: BLE001
        problem = f"some on which its check raises {type(error).__name__}"
        return [ExporterFault(path, "bad_value", "settings that the kind can check", problem)]


def _build(
    kinds: Kinds[T], choices: Iterable[Choice], path: str, origin: Origin
) -> list[Outlet[T]]:
    faults, resolved = _resolve(kinds, choices, path)
    built: list[Outlet[T]] = []
    for here, name, kind, settings in () if faults else resolved:
        try:
            built.append(Outlet(name, kind.build(settings, origin)))
        except Exception as error:  # noqa: BLE001 - as in _faults; raised below, with its reason
            problem = reason_of(error)
            faults.append(ExporterFault(here, "not_opened", "an exporter that opens", problem))
    if faults:
        for outlet in built:
            outlet.close()
        raise ExporterSetupError(faults)
    return built
