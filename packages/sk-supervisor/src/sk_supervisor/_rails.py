"""The logging and tracing rails of a run, as its configuration lays them."""

from __future__ import annotations

from sk_observability import (
    ExporterSetupError,
    LifecycleLog,
    SpanFanOut,
    build_log_exporters,
    build_span_exporters,
)

from sk_supervisor._preflight import Prepared, log_choices, span_choices
from sk_supervisor._system_nodes import GROUP, SystemNodes


def rails(prepared: Prepared, run_id: str) -> tuple[LifecycleLog, SystemNodes]:
    """Where the events of a run go, and the spans of its supervisor's own steps.

    :raises ExporterSetupError: with every fault of the exporters; nothing is left open.
    """
    observability = prepared.config.runtime.observability
    events = observability.logging.lifecycle_events
    traced = observability.tracing.sampling_ratio > 0
    exporters = build_log_exporters(log_choices(prepared.config))
    log = LifecycleLog(run_id, exporters, enabled=events.enabled, level=events.level)
    try:
        spans = build_span_exporters(span_choices(prepared.config) if traced else (), worker=GROUP)
    except ExporterSetupError:
        log.close()
        raise
    return log, SystemNodes(run_id, [SpanFanOut(spans)] if spans else [])
