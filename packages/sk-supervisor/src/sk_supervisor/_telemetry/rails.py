"""The logging and tracing rails of a run, as its configuration lays them, and their account."""

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
from sk_supervisor._protocol.peers import group_of
from sk_supervisor._telemetry.conservation import Conservation, conservation_of
from sk_supervisor._telemetry.conservation_told import complaints, facts_of, words
from sk_supervisor._telemetry.counts import log_telemetry, span_telemetry
from sk_supervisor._telemetry.system_nodes import GROUP, LIFECYCLE_SEQUENCE, SystemNodes

T = TypeVar("T")

#: How long the supervisor may take to send what it tells of the run once its workers have ended,
#: all signals together and whatever the exporters' settings say: one deadline for them all.
#: A third of it is kept for the events, the last of which say what has become of all spans.
ENDING_SECONDS: Final = 3.0
#: The same behind a stop by force.
FORCED_SECONDS: Final = 1.0


class TelemetrySummary(NamedTuple):
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
        self.pump: MetricPump | None = None
        self._end_by, self._for_events, self._told = math.inf, math.inf, False

    def telemetry(self, accounts: Iterable[SpanAccount]) -> tuple[TelemetryCounts, ...]:
        """What has become of spans and events so far. Any thread.

        :param accounts: those of the workers.
        """
        own = (self._spans.account(GROUP),) if self._spans else ()
        return (*span_telemetry((*accounts, *own)), *log_telemetry(self.log.counts()))

    def finish(self, within_seconds: float = ENDING_SECONDS) -> None:
        """Have all that was told so far go out, for the end has come. Does not wait.

        Spans and metrics do so side by side; the events, of which more come, have what is left.
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
        """Close all exporters, and see whether everything is accounted for.

        It may be called again behind one that was cut short. Whoever hangs, it is over in time.

        :param accounts: those of the workers, all of which have ended.
        :param within_seconds: the time, if it is not up earlier by an earlier :meth:`finish`.
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
        for outlet in self.metrics:  # a run that failed before anything was measured
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
    """The rails of a run.

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
        opened.pop_all()  # they are the rails' now
    return Rails(log, SystemNodes(run_id, [spans] if spans else []), spans, metrics)


def lost_events(counts: LifecycleCounts) -> list[str]:
    """What a summary says of lifecycle events that went nowhere; nothing where none did."""
    lines = [
        f"  events: {lost:,} of level {level} were over its rate and went nowhere"
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
