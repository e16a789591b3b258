"""Metrics of a run: snapshots for the exporters, and for other callers on demand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sk_kernel import BootstrapSupervisor
from sk_observability import MetricPump, MetricsSnapshot

from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._system.signals import without_signals
from sk_supervisor._telemetry.counts import metric_telemetry
from sk_supervisor._telemetry.rails import Rails


@contextmanager
def measuring(
    prepared: Prepared, supervisor: BootstrapSupervisor, rails: Rails
) -> Iterator[Callable[[], MetricsSnapshot]]:
    """Export metrics inside the block, if configured; yield a function that takes a snapshot.

    At the end of the block the exporters get a last snapshot, which may be exported until the rails
    close.
    """
    config = prepared.config.runtime.observability.metrics

    def take() -> MetricsSnapshot:
        now, status = time.time_ns(), supervisor.snapshot()
        sent = metric_telemetry(pump.counts())
        return MetricsSnapshot(now, status, (*rails.telemetry(status.spans), *sent))

    rails.pump = pump = MetricPump(rails.metrics, take, config.interval_seconds)
    if rails.metrics:
        with without_signals():
            pump.start()
    try:
        yield take
    finally:
        rails.finish()
