"""The exporters of a run's events, spans and metrics, as configured, and their accounts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple, TypeVar

from sk_kernel import SpanAccount
from sk_kernel.runtime import TraceIds
from sk_observability import (
    Choice,
    ExporterCounts,
    LifecycleCounts,
    LifecycleLog,
    MetricPump,
    MetricsSnapshot,
    Outlet,
    SpanFanOut,
    TelemetryCounts,
    build_log_exporters,
    build_metric_exporters,
    build_span_exporters,
)

from sk_supervisor._plan.preflight import Prepared, log_choices, metric_choices, span_choices
from sk_supervisor._protocol.worker_ids import group_of
from sk_supervisor._telemetry.conservation import Conservation, conservation_of
from sk_supervisor._telemetry.conservation_text import complaints, facts_of, words
from sk_supervisor._telemetry.counts import log_telemetry, span_telemetry
from sk_supervisor._telemetry.system_nodes import GROUP, LIFECYCLE_SEQUENCE, SystemNodes

T = TypeVar("T")

#: The time the supervisor has to export the rest of its telemetry after its workers have ended: one
#: deadline for all signals, whatever the exporters' settings say. A third of it is reserved for
#: events, because the last events report what became of all spans.
ENDING_SECONDS: Final = 3.0
#: The same after a forced stop.
FORCED_SECONDS: Final = 1.0


class TelemetrySummary(NamedTuple):
    """What became of a run's telemetry: lines for its summary, and errors to print in any case."""

    lines: tuple[str, ...]
    errors: tuple[str, ...]


class Rails:
    """The exporters of a run's events, of the spans of its supervisor's steps, and of its metrics.

    They are those of the supervisor's process. Each worker exports its own spans.
    """

    def __init__(
        self,
        log: LifecycleLog,
        system: SystemNodes,
        spans: SpanFanOut | None,
        metrics: Sequence[Outlet[MetricsSnapshot]] = (),
    ) -> None:
        self.log, self.system, self._spans, self.metrics = log, system, spans, metrics
        self.pump: MetricPump | None = None
        self._end_by, self._for_events, self._told = math.inf, math.inf, False

    def telemetry(self, accounts: Iterable[SpanAccount]) -> tuple[TelemetryCounts, ...]:
        """The counts of exported and dropped spans and events so far. Any thread.

        :param accounts: the span accounts of the workers.
        """
        own = (self._spans.account(GROUP),) if self._spans else ()
        return (*span_telemetry((*accounts, *own)), *log_telemetry(self.log.counts()))

    def finish(self, within_seconds: float = ENDING_SECONDS) -> None:
        """Set the deadline of the end, and start exporting what is pending. Does not wait.

        Spans and metrics are exported concurrently. Events, of which more will follow, have the
        time that is left.
        """
        self._end_by = min(self._end_by, time.monotonic() + within_seconds)
        self._for_events = min(self._for_events, within_seconds / 3)
        seconds = self._seconds_left(self._for_events)
        if self.pump is not None:
            self.pump.finish(seconds)
        if self._spans is not None:
            self._spans.finish(seconds)

    def close(
        self, accounts: Iterable[SpanAccount], within_seconds: float = ENDING_SECONDS
    ) -> TelemetrySummary:
        """Close all exporters, and return what became of the telemetry.

        It may be called again if an earlier call was interrupted. It returns in time even if an
        exporter hangs.

        :param accounts: the span accounts of the workers, all of which have ended.
        :param within_seconds: the time limit, unless an earlier :meth:`finish` set an earlier one.
        """
        self.finish(within_seconds)
        self.system.close()
        self._close_metrics()
        own = (self._spans.account(GROUP),) if self._spans else ()
        found = conservation_of((*accounts, *own))
        self._tell(found)
        self.log.finish(self._seconds_left())
        self.log.close()
        lost = lost_events(self.log.counts())
        lost += _lost("metrics", [outlet.counts for outlet in self.metrics])
        return TelemetrySummary((*words(found), *lost), tuple(complaints(found)))

    def _close_metrics(self) -> None:
        seconds = self._seconds_left(self._for_events)
        if self.pump is not None:
            self.pump.close(seconds)
            return
        for outlet in self.metrics:  # the run failed before measuring() began
            outlet.finish(seconds)
        for outlet in self.metrics:
            outlet.close()

    def _tell(self, found: Conservation) -> None:
        if self._told:
            return
        self._told = True
        for name, worker, fields in facts_of(found):
            group = group_of(worker) if worker else ""
            self.log.emit(name, group=group or None, worker=worker, fields=fields)

    def _seconds_left(self, kept_back: float = 0.0) -> float:
        return max(0.0, self._end_by - kept_back - time.monotonic())


def lay_rails(prepared: Prepared, run_id: str) -> Rails:
    """Build the exporters of a run.

    :raises ExporterSetupError: with every fault of the exporters; nothing is left open.
    """
    observability = prepared.config.runtime.observability
    events, choices = observability.logging.lifecycle_events, span_choices(prepared.config)
    traced = bool(choices) and observability.tracing.sampling_ratio > 0

    def built(build: Callable[..., list[Outlet[T]]], choices: Sequence[Choice]) -> list[Outlet[T]]:
        return build(choices, worker=GROUP, close_seconds=ENDING_SECONDS, run_id=run_id)

    with ExitStack() as opened:
        log = LifecycleLog(
            run_id,
            built(build_log_exporters, log_choices(prepared.config)),
            enabled=events.enabled,
            level=events.level,
            trace_id=TraceIds(run_id).of(LIFECYCLE_SEQUENCE) if traced else None,
        )
        opened.callback(log.close)
        outlets = built(build_span_exporters, choices if traced else [])
        spans = SpanFanOut(outlets) if outlets else None
        if spans is not None:
            opened.callback(spans.close)
        metrics = built(build_metric_exporters, metric_choices(prepared.config))
        opened.pop_all()  # from here on they belong to the rails
    return Rails(log, SystemNodes(run_id, [spans] if spans else []), spans, metrics)


def lost_events(counts: LifecycleCounts) -> list[str]:
    """The lines of a summary about lifecycle events that were not exported; none if all were."""
    lines = [
        f"  events: {lost:,} {level} events dropped (rate limit)"
        for level, lost in sorted(counts.flooded.items())
    ]
    return lines + _lost("events", counts.exporters)


def _lost(signal: str, exporters: Iterable[ExporterCounts]) -> list[str]:
    lines = []
    for one in exporters:
        if one.dropped:
            reasons = ", ".join(f"{reason} {lost:,}" for reason, lost in one.dropped.items())
            total = sum(one.dropped.values())
            lines.append(f"  {signal}: {one.kind} dropped {total:,} ({reasons})")
    return lines
