"""Metrics of real runs: answered to scrapes, and sent to a real receiver."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sk_config import build_config
from sk_kernel import ExporterAccount, RunStatus, SpanAccount
from sk_observability import ExporterCounts, Exposition, LifecycleCounts, MetricsSnapshot
from sk_observability.testing import HANG, OtlpReceiver
from sk_supervisor import run as run_config
from sk_supervisor._health.metrics_page import FRESH_SECONDS, MetricsPage
from sk_supervisor._telemetry.counts import log_telemetry, metric_telemetry, span_telemetry
from sk_supervisor.errors import EXIT_CONFIGURATION
from supervisor_harness import PATIENCE, Ears, expected, in_time, settings
from supervisor_kubelet import Kubelet
from supervisor_probing import probe

SCRAPED = {"health": {"http": {}}}
COUNT = 25
CREDIT = 16
LATENCY = "sk_batch_latency_seconds"


def metrics(target: Path, mode: str, ears: Ears | None = None, **block: Any) -> dict[str, Any]:
    """A configuration that measures; with ears, its source waits behind its last record."""
    source = {"count": COUNT, **({"then": "wait", "ears": ears.port} if ears else {})}
    return settings(
        target,
        mode=mode,
        **({"groups": ()} if mode == "inline" else {}),
        source=source,
        platform={**(SCRAPED if block.get("prometheus") else {}), "batch": {"max_records": 10}},
        observability={"metrics": block},
    )


class Scraped:
    """A scrape, as Prometheus's own parser reads it."""

    def __init__(self, body: str) -> None:
        self._samples = [
            sample for family in text_string_to_metric_families(body) for sample in family.samples
        ]

    def sum(self, name: str, **labels: str) -> float:
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@pytest.mark.parametrize("mode", ["process_supervisor", "inline"])
def test_a_run_answers_scrapes_with_what_it_has_done(
    tmp_path: Path, target: Path, ears: Ears, mode: str
) -> None:
    alone = mode == "inline"
    first, last = ("memory", "memory") if alone else ("in", "out")
    awaited = {
        "first": COUNT,
        "last": COUNT if alone else COUNT - 2,  # every tenth goes no further than the first group
        "batches": 3,
        "latencies": 3,
        "credit": 0 if alone else CREDIT - 1,
    }
    kubelet = Kubelet(tmp_path, metrics(target, mode, ears, prometheus=True))
    try:
        ears.hear("open")
        ears.hear("waiting")
        until = time.monotonic() + PATIENCE
        while True:  # until its workers have said all, which each does once a second
            answer = probe(kubelet.addresses["http"], "/metrics?x=1")
            done = Scraped(answer.raw.decode())
            said = {
                "first": done.sum("sk_records_in_total", group=first),
                "last": done.sum("sk_records_in_total", group=last),
                "batches": done.sum("sk_batch_duration_seconds_count", group=first),
                "latencies": done.sum(f"{LATENCY}_count"),
                "credit": done.sum("sk_source_credit_batches"),
            }
            # The exporter writes in its own thread: the work may be done before its first line.
            told = done.sum("sk_telemetry_exported_total", signal="logs", exporter="jsonl")
            if said == awaited and told:
                break
            assert time.monotonic() < until, said
            assert not kubelet.exits_within(0.1)
        assert (answer.status, answer.headers["content-type"][:10]) == (200, "text/plain")
        assert (done.sum("sk_run_ready"), done.sum("sk_worker_up")) == (1, 1 if alone else 3)
        for state in ("busy", "idle"):
            assert done.sum("sk_worker_time_seconds_total", group=first, state=state) > 0
        assert done.sum("sk_worker_cpu_time_seconds_total", group=last) > 0
        assert done.sum("sk_worker_memory_bytes", group=last) > 0
        assert kubelet.ask("readyz").status == HTTPStatus.OK
    finally:
        kubelet.container.end()


def test_a_listener_that_was_not_told_to_answers_no_scrape(
    tmp_path: Path, target: Path, ears: Ears
) -> None:
    """Who may probe need not be told how much is done, and by what groups."""
    given = metrics(target, "inline", ears)
    given["runtime"]["platform"] |= SCRAPED
    kubelet = Kubelet(tmp_path, given)
    try:
        ears.hear("open")
        ears.hear("waiting")
        assert probe(kubelet.addresses["http"], "/metrics").status == HTTPStatus.NOT_FOUND
    finally:
        kubelet.container.end()


@pytest.mark.parametrize("mode", ["process_supervisor", "inline"])
def test_the_last_snapshot_that_is_sent_has_the_whole_run(target: Path, mode: str) -> None:
    """One is sent at the end, behind the last words of the workers, however short the run was."""
    with OtlpReceiver() as receiver:
        exporters = [{"kind": "otel_otlp", "settings": receiver.settings}]
        config = build_config(metrics(target, mode, exporters=exporters, interval_seconds=600))
        assert run_config(config, run_id="r1", quiet=True) == 0
        points = {(p.name, *p.attributes.values()): p for p in receiver.points}
    groups = ["memory"] if mode == "inline" else ["in", "mid", "out"]
    records = {group: points["sk.records.in", group].value for group in groups}
    assert records[groups[0]] == COUNT
    if mode != "inline":
        # 13 odd numbers, and what they were worked into; and behind them the total.
        assert (records["mid"], records["out"]) == (13, COUNT - 2 + 1)
    assert sum(points["sk.batch.latency",].buckets) == 3
    assert points["sk.run.info", "r1", "supervised", "memory" if mode == "inline" else mode]
    assert points["sk.run.ready",].value == 0
    assert {p.resource["service.instance.id"] for p in points.values()} == {"supervisor"}
    assert target.read_text().splitlines() == expected(COUNT)


@pytest.mark.contract("P5PRE-OBS-03")
def test_a_receiver_that_hangs_costs_a_run_bounded_time_at_its_end(target: Path) -> None:
    with OtlpReceiver(answer=HANG) as receiver:
        settings = {**receiver.settings, "shutdown_timeout_seconds": 60}
        exporters = [{"kind": "otel_otlp", "settings": settings}]
        config = build_config(metrics(target, "inline", exporters=exporters))
        with in_time(PATIENCE / 2):  # and not the sixty seconds that it would like
            assert run_config(config, run_id="r1", quiet=True) == 0
        assert target.read_text().splitlines() == expected(COUNT)


def test_faults_of_exporters_are_told_before_anything_starts(
    target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exporters = [{"kind": "otel_otlp", "settings": {"protocol": "smoke"}}, {"kind": "strange"}]
    config = build_config(metrics(target, "inline", exporters=exporters))
    assert run_config(config) == EXIT_CONFIGURATION
    told = capsys.readouterr().err
    assert "runtime.observability.metrics.exporters[0].settings.protocol" in told
    assert "runtime.observability.metrics.exporters[1].kind" in told


def test_a_page_is_written_once_for_all_who_ask_within_half_a_second() -> None:
    """Who asks again and again costs the run nothing."""
    now, written = [10.0], iter(range(100))
    status = RunStatus(
        run_id="r", scenario="s", profile="p", state="running", ready=True, age_seconds=1.0
    )
    page = MetricsPage(
        lambda: MetricsSnapshot(1, status),
        lambda _: Exposition(str(next(written)).encode(), "text/plain"),
        lambda: now[0],
    )

    def asked() -> bytes:
        return asyncio.run(page.answer()).body

    assert [asked() for _ in range(5)] == [b"0"] * 5
    now[0] += FRESH_SECONDS
    assert [asked(), asked()] == [b"1", b"1"]


def test_spans_are_counted_over_all_processes() -> None:
    accounts = [
        SpanAccount(
            worker=worker,
            created=10,
            exporters=(
                ExporterAccount(kind="jsonl", exported=10),
                ExporterAccount(kind="otel_otlp", exported=sent, dropped=dropped),
            ),
        )
        for worker, sent, dropped in (("a-0.1", 9, {"EPIPE": 1}), ("b-0.1", 5, {"full": 5}))
    ]
    jsonl, otlp = span_telemetry(accounts)
    assert (jsonl.exporter, jsonl.created, jsonl.exported, jsonl.dropped) == ("jsonl", 20, 20, {})
    assert (otlp.exporter, otlp.created, otlp.exported) == ("otel_otlp", 20, 14)
    assert (otlp.signal, otlp.dropped) == ("spans", {"EPIPE": 1, "full": 5})


def test_two_exporters_of_a_kind_are_told_apart() -> None:
    """Else they would be one series, given twice."""
    counts = [ExporterCounts("jsonl", created=n) for n in (1, 2)] + [ExporterCounts("stdout")]
    assert [one.exporter for one in metric_telemetry(counts)] == ["jsonl 1", "jsonl 2", "stdout"]


def test_events_over_their_rate_are_lost_for_every_exporter() -> None:
    counts = LifecycleCounts(5, 0, {"info": 2, "debug": 1}, (ExporterCounts("jsonl", 5, 5),))
    jsonl, every = log_telemetry(counts)
    assert (jsonl.exporter, jsonl.created) == ("jsonl", 5)
    assert (every.exporter, every.created, every.dropped) == ("all", 3, {"flooded": 3})
