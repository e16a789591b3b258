"""The rails of a run: whom they name as telling, and that nothing of them outlives it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sk_config import build_config
from sk_kernel import RunStatus
from sk_observability import EventName, MetricPump, MetricsSnapshot, Outlet
from sk_observability.testing import OtlpReceiver
from sk_supervisor import prepare
from sk_supervisor._telemetry.rails import Rails, lay_rails
from supervisor_harness import settings, threadless


class Open:
    """An exporter that holds something until it is closed; fails to take what it is given."""

    def __init__(self) -> None:
        self.closed = False

    def export(self, items: Sequence[Any]) -> None:
        raise OSError(5, "broken")

    def close(self) -> None:
        self.closed = True


def rails_of(target: Path, **observability: Any) -> Rails:
    config = settings(target, mode="inline", groups=(), observability=observability)
    return lay_rails(prepare(build_config(config)), "r1")


def snapshot() -> MetricsSnapshot:
    status = RunStatus(
        run_id="r1", scenario="s", profile="memory", state="running", ready=True, age_seconds=1.0
    )
    return MetricsSnapshot(1, status)


@pytest.fixture
def bare(target: Path) -> Callable[[Open], Rails]:
    """Gives rails with this exporter of metrics, and nothing else."""

    def make(exporter: Open) -> Rails:
        laid = rails_of(target)
        return Rails(laid.log, laid.system, None, [Outlet("open", exporter)])

    return make


@pytest.mark.contract("P5PRE-OTLP-02")
def test_spans_events_and_metrics_have_one_resource_which_names_the_run(target: Path) -> None:
    with OtlpReceiver() as receiver:
        sent = {**receiver.settings, "resource": {"service.namespace": "orders"}}
        otlp = {"exporters": [{"kind": "otel_otlp", "settings": sent}]}
        logs = {"exporters": [{"kind": "otel_logs_otlp", "settings": sent}]}
        rails = rails_of(target, tracing=otlp, metrics=otlp, logging=logs)
        rails.pump = MetricPump(rails.metrics, snapshot, 3600)
        rails.pump.start()
        with rails.system.step(EventName.SUPERVISOR_START_GROUPS):
            pass
        rails.close((), 30.0)
        [span], event, point = receiver.spans, receiver.logs[0], receiver.points[0]
    assert span.resource == event.resource == point.resource
    named = {
        "service.name": "stream-kernel",
        "service.namespace": "orders",
        "service.instance.id": "supervisor",
        "stream_kernel.run.id": "r1",
    }
    assert named.items() <= span.resource.items()


def test_a_run_that_fails_before_anything_is_measured_closes_its_exporters_of_metrics(
    bare: Callable[[Open], Rails],
) -> None:
    exporter, threads = Open(), set(threading.enumerate())
    rails = bare(exporter)
    rails.close((), 1.0)
    rails.close((), 0.0)
    assert exporter.closed
    assert set(threading.enumerate()) <= threads


@pytest.mark.contract("P5PRE-OBS-03")
def test_the_summary_says_what_has_become_of_snapshots_that_did_not_arrive(
    bare: Callable[[Open], Rails],
) -> None:
    rails = bare(Open())
    rails.pump = MetricPump(rails.metrics, snapshot, 3600)
    rails.pump.start()
    assert rails.close((), 30.0).lines == ("  metrics: open dropped 1 (EIO 1)",)


@pytest.mark.contract("P5PRE-OBS-03")
def test_a_system_without_a_thread_for_metrics_costs_the_metrics_and_leaves_nothing_open(
    bare: Callable[[Open], Rails],
) -> None:
    exporter = Open()
    rails = bare(exporter)
    rails.pump = MetricPump(rails.metrics, snapshot, 3600)
    with threadless():
        rails.pump.start()
    assert rails.close((), 30.0).lines == ("  metrics: open dropped 1 (RuntimeError 1)",)
    assert exporter.closed
