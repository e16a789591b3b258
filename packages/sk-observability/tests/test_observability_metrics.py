"""The table of metrics, and how a snapshot reads in Prometheus's text format."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from sk_kernel import SECONDS_BOUNDS, GroupStatus, Histogram, RunStatus, Totals, WorkerStatus
from sk_kernel.runtime import ReplyCounters
from sk_observability import (
    METRICS,
    MetricKind,
    MetricsSnapshot,
    TelemetryCounts,
    can_expose,
    prometheus_exposition,
)

NO_BUCKETS = (0,) * (len(SECONDS_BOUNDS) + 1)
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def worker(group: str, index: int = 0, **facts: Any) -> WorkerStatus:
    incarnation = facts.get("incarnation", 1)
    plain = {"pid": 1, "os_pid": 1, "alive": True, "ready": True, "state": "running"}
    name = f"{group}-{index}.{incarnation}"
    return WorkerStatus(worker_id=name, index=index, **{**plain, **facts})


def snapshot(*groups: GroupStatus, **facts: Any) -> MetricsSnapshot:
    telemetry = facts.pop("telemetry", ())
    status = RunStatus(
        **{
            "run_id": "r1",
            "scenario": "s",
            "profile": "process_supervisor",
            "state": "running",
            "ready": True,
            "age_seconds": 2.5,
            "groups": groups,
            **facts,
        }
    )
    return MetricsSnapshot(10**18, status, telemetry)


def group(name: str, *workers: WorkerStatus, **facts: Any) -> GroupStatus:
    return GroupStatus(name=name, state="running", workers=workers, **facts)


def scraped(taken: MetricsSnapshot) -> Samples:
    """What Prometheus's own parser reads; every series comes once."""
    text = prometheus_exposition()(taken).body.decode()
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in samples
            samples[key] = sample.value
    return samples


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_names_and_labels_are_well_formed_and_each_metric_is_there_once() -> None:
    assert all(re.fullmatch(r"sk(\.[a-z_]+)+", metric.name) for metric in METRICS)
    assert all(re.fullmatch(r"[a-z_]+", label) for metric in METRICS for label in metric.labels)
    assert all(re.fullmatch(r"s|By|(\{[a-z]+\})?", metric.unit) for metric in METRICS)
    names = [metric.prometheus_name for metric in METRICS]
    assert len(set(names)) == len(names)
    kinds = {metric.kind: metric.prometheus_name for metric in METRICS}
    assert kinds[MetricKind.COUNTER].endswith("_total")
    assert can_expose()


def test_records_of_a_group_are_those_of_all_its_workers() -> None:
    first, second = (
        worker("g", i, totals=Totals(records_in=10 + i, records_out=5, skipped=2, dead_lettered=1))
        for i in (0, 1)
    )
    samples = scraped(snapshot(group("g", first, second), group("h")))
    assert value(samples, "sk_records_in_total", group="g") == 21
    assert value(samples, "sk_records_out_total", group="g") == 10
    assert value(samples, "sk_records_skipped_total", group="g") == 4
    assert value(samples, "sk_records_dead_lettered_total", group="g") == 2
    assert value(samples, "sk_records_in_total", group="h") == 0


def test_a_workers_series_go_by_its_place_and_not_by_its_incarnation() -> None:
    """Those that follow each other in a place are one series, however often that happens."""
    before, after = (
        set(scraped(snapshot(group("g", worker("g", 3, incarnation=n), restarts=n - 1))))
        for n in (1, 7)
    )
    assert before == after
    assert ("sk_worker_up", frozenset({("group", "g"), ("worker", "g-3")})) in after


def test_the_three_times_of_a_worker_are_one_metric() -> None:
    done = Totals(busy_seconds=1.5, idle_seconds=2.5, backpressured_seconds=4, cpu_seconds=1.25)
    samples = scraped(snapshot(group("g", worker("g", totals=done))))
    place = {"group": "g", "worker": "g-0"}
    states = [
        value(samples, "sk_worker_time_seconds_total", **place, state=state)
        for state in ("busy", "idle", "backpressured")
    ]
    assert states == [1.5, 2.5, 4]
    assert value(samples, "sk_worker_cpu_time_seconds_total", **place) == 1.25


def test_what_is_not_known_has_no_sample() -> None:
    facts = {"rss_bytes": None, "heard_age_seconds": None, "credit": None}
    names = {name for name, _ in scraped(snapshot(group("g", worker("g", **facts))))}
    assert not names & {
        "sk_worker_memory_bytes",
        "sk_worker_heartbeat_age_seconds",
        "sk_source_credit_batches",
    }


def test_queue_credit_heartbeat_and_the_rest_of_a_worker_are_gauges() -> None:
    facts = {"waiting": 4, "credit": 0, "heard_age_seconds": 0.5, "rss_bytes": 2**20, "stuck": True}
    samples = scraped(snapshot(group("g", worker("g", **facts, alive=False, ready=False))))
    place = {"group": "g", "worker": "g-0"}
    assert value(samples, "sk_worker_queue_batches", **place) == 4
    assert value(samples, "sk_source_credit_batches", **place) == 0
    assert value(samples, "sk_worker_heartbeat_age_seconds", **place) == 0.5
    assert value(samples, "sk_worker_memory_bytes", **place) == 2**20
    assert value(samples, "sk_worker_stuck", **place) == 1
    assert (
        value(samples, "sk_worker_up", **place) == value(samples, "sk_worker_ready", **place) == 0
    )


def test_restarts_refusals_and_requests_are_counted() -> None:
    requests = ReplyCounters(
        registered=13,
        completed=7,
        failed=3,
        expired=2,
        cancelled=1,
        in_flight=3,
        refused=5,
        late_reply_drop=6,
    )
    refusals = {"data.replay": 3, "control.signature": 1}
    samples = scraped(snapshot(group("g", restarts=2), refusals=refusals, requests=requests))
    assert value(samples, "sk_restarts_total", group="g") == 2
    assert value(samples, "sk_refusals_total", plane="data", category="replay") == 3
    assert value(samples, "sk_refusals_total", plane="control", category="signature") == 1
    outcomes = {"success": 4, "error": 3, "timeout": 2, "cancelled": 1, "refused": 5}
    for outcome, count in outcomes.items():
        assert value(samples, "sk_requests_total", outcome=outcome) == count
    assert value(samples, "sk_requests_in_flight") == 3
    assert value(samples, "sk_replies_dropped_total", reason="late") == 6


def test_the_time_of_requests_is_measured_by_outcome() -> None:
    took = {"error": Histogram((0, 2, 1) + (0,) * 14, 0.5)}
    samples = scraped(snapshot(request_seconds=took))
    name = "sk_request_duration_seconds"
    assert value(samples, f"{name}_count", outcome="error") == 3
    assert value(samples, f"{name}_sum", outcome="error") == 0.5
    assert value(samples, f"{name}_bucket", outcome="error", le="0.00025") == 2
    assert value(samples, f"{name}_count", outcome="success") == 0


@pytest.mark.contract("P5PRE-OTLP-03")
def test_what_exporters_lost_is_counted_by_reason() -> None:
    lost = {"queue_full": 2, "UNAVAILABLE": 3}
    counts = TelemetryCounts(
        signal="spans", exporter="otel_otlp", created=9, exported=4, dropped=lost
    )
    samples = scraped(snapshot(telemetry=(counts,)))
    exporter = {"signal": "spans", "exporter": "otel_otlp"}
    assert value(samples, "sk_telemetry_created_total", **exporter) == 9
    assert value(samples, "sk_telemetry_exported_total", **exporter) == 4
    for reason, count in lost.items():
        assert value(samples, "sk_telemetry_dropped_total", **exporter, reason=reason) == count


counts = st.lists(st.integers(0, 9), min_size=17, max_size=17).map(tuple)
histograms = st.just(Histogram()) | st.builds(Histogram, counts, st.floats(0, 1e6))


@given(histograms, histograms)
def test_a_histogram_is_cumulative_and_ends_in_its_count(batch: Histogram, latency: Any) -> None:
    samples = scraped(
        snapshot(group("g", worker("g", totals=Totals(batch=batch, latency=latency))))
    )
    for name, times, labels in (
        ("sk_batch_duration_seconds", batch, {"group": "g"}),
        ("sk_batch_latency_seconds", latency, {}),
    ):
        buckets = {
            dict(key[1])["le"]: number
            for key, number in samples.items()
            if key[0] == f"{name}_bucket"
        }
        assert len(buckets) == len(NO_BUCKETS)
        numbers = [buckets[le] for le in sorted(buckets, key=float)]
        assert numbers == sorted(numbers)
        assert numbers[-1] == buckets["+Inf"] == times.count
        assert value(samples, f"{name}_count", **labels) == times.count
        assert value(samples, f"{name}_sum", **labels) == pytest.approx(times.sum)


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8")))
def test_no_name_breaks_the_text(run_id: str, scenario: str) -> None:
    """Quotes, backslashes, line ends: what goes into a label comes out of it."""
    samples = scraped(snapshot(run_id=run_id, scenario=scenario))
    assert value(
        samples, "sk_run_info", run_id=run_id, scenario=scenario, profile="process_supervisor"
    )
