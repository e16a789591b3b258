"""The logging and tracing rails of a run, as its configuration lays them, and their account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sk_kernel import SpanAccount, TraceIds
from sk_observability import (
    ExporterSetupError,
    LifecycleCounts,
    LifecycleLog,
    MetricsSnapshot,
    Outlet,
    SpanFanOut,
    TelemetryCounts,
    build_log_exporters,
    build_metric_exporters,
    build_span_exporters,
)

from sk_supervisor._conservation import conservation_of
from sk_supervisor._conservation_told import complaints, facts_of, words
from sk_supervisor._peers import group_of
from sk_supervisor._preflight import Prepared, log_choices, metric_choices, span_choices
from sk_supervisor._system_nodes import GROUP, LIFECYCLE_SEQUENCE, SystemNodes
from sk_supervisor._telemetry import log_telemetry, span_telemetry

#: How long the last snapshot of the metrics may take on its way, whatever an exporter's settings.
METRICS_CLOSE_SECONDS: Final = 2.0


class Account(NamedTuple):
    """What has become of all that a run told: lines for its summary, and errors for any ears."""

    lines: tuple[str, ...]
    errors: tuple[str, ...]


class Rails:
    """Where the events of a run go, the spans of its supervisor's own steps, and its metrics."""

    def __init__(
        self,
        log: LifecycleLog,
        system: SystemNodes,
        spans: SpanFanOut | None,
        metrics: Sequence[Outlet[MetricsSnapshot]] = (),
    ) -> None:
        self.log, self.system, self._spans, self.metrics = log, system, spans, metrics

    def telemetry(self, accounts: Iterable[SpanAccount]) -> tuple[TelemetryCounts, ...]:
        """What has become of spans and events so far. Any thread.

        :param accounts: those of the workers.
        """
        own = (self._spans.account(GROUP),) if self._spans else ()
        return (*span_telemetry((*accounts, *own)), *log_telemetry(self.log.counts()))

    def close(self, accounts: Iterable[SpanAccount]) -> Account:
        """Close all exporters, and see whether everything is accounted for.

        :param accounts: those of the workers, all of which have ended.
        """
        self.system.close()
        own = (self._spans.account(GROUP),) if self._spans else ()
        found = conservation_of((*accounts, *own))
        for name, worker, fields in facts_of(found):
            group = group_of(worker) if worker else ""
            self.log.emit(name, group=group or None, worker=worker, fields=fields)
        self.log.close()
        lost = lost_events(self.log.counts())
        return Account((*words(found), *lost), tuple(complaints(found)))


def lay_rails(prepared: Prepared, run_id: str) -> Rails:
    """The rails of a run.

    :raises ExporterSetupError: with every fault of the exporters; nothing is left open.
    """
    observability = prepared.config.runtime.observability
    events = observability.logging.lifecycle_events
    choices, seconds = span_choices(prepared.config), prepared.flush_seconds
    traced = bool(choices) and observability.tracing.sampling_ratio > 0
    log = LifecycleLog(
        run_id,
        build_log_exporters(log_choices(prepared.config), worker=GROUP, close_seconds=seconds),
        enabled=events.enabled,
        level=events.level,
        trace_id=TraceIds(run_id).of(LIFECYCLE_SEQUENCE) if traced else None,
    )
    try:
        outlets = build_span_exporters(
            choices if traced else (), worker=GROUP, close_seconds=seconds
        )
    except ExporterSetupError:
        log.close()
        raise
    spans = SpanFanOut(outlets) if outlets else None
    try:
        metrics = build_metric_exporters(
            metric_choices(prepared.config), worker=GROUP, close_seconds=METRICS_CLOSE_SECONDS
        )
    except ExporterSetupError:
        log.close()
        if spans is not None:
            spans.close()
        raise
    return Rails(log, SystemNodes(run_id, [spans] if spans else []), spans, metrics)


def lost_events(counts: LifecycleCounts) -> list[str]:
    """What a summary says of lifecycle events that went nowhere; nothing where none did."""
    lines = [
        f"  events: {lost:,} of level {level} were over its rate and went nowhere"
        for level, lost in sorted(counts.flooded.items())
    ]
    for one in counts.exporters:
        if one.dropped:
            reasons = ", ".join(f"{reason} {lost:,}" for reason, lost in one.dropped.items())
            lines.append(f"  events: {one.kind} dropped {sum(one.dropped.values()):,} ({reasons})")
    return lines
