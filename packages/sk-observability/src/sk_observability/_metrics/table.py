"""The table of all metrics, which the exporters read and the documentation prints."""

from __future__ import annotations

from typing import Final

from sk_observability._metrics import samples as of
from sk_observability._metrics.metric import Metric
from sk_observability._metrics.metric import MetricKind as Kind

_GROUP: Final = ("group",)
_WORKER: Final = ("group", "worker")
_EXPORTER: Final = ("signal", "exporter")

METRICS: Final = (
    Metric(
        "sk.run.info", Kind.GAUGE, "", "Always 1; its labels name the run",
        ("run_id", "scenario", "profile"), of.run_info,
    ),
    Metric(
        "sk.run.ready", Kind.GAUGE, "",
        "1 while the run is at work: the gate is open and no stop was requested",
        (), of.run_value(lambda s: s.status.ready),
    ),
    Metric(
        "sk.run.age", Kind.GAUGE, "s", "Time since the start of the run",
        (), of.run_value(lambda s: s.status.age_seconds),
    ),
    Metric(
        "sk.records.in", Kind.COUNTER, "{record}",
        "Records that a group received; those that a restart repeats count again",
        _GROUP, of.of_group(lambda done: done.records_in),
    ),
    Metric(
        "sk.records.out", Kind.COUNTER, "{record}", "Records that a group emitted",
        _GROUP, of.of_group(lambda done: done.records_out),
    ),
    Metric(
        "sk.records.dead_lettered", Kind.COUNTER, "{record}",
        "Records that failed in a group and were written as dead letters",
        _GROUP, of.of_group(lambda done: done.dead_lettered),
    ),
    Metric(
        "sk.records.skipped", Kind.COUNTER, "{record}",
        "Records that failed in a group and were skipped",
        _GROUP, of.of_group(lambda done: done.skipped),
    ),
    Metric(
        "sk.batch.duration", Kind.HISTOGRAM, "s", "Time in which a group processed a batch",
        _GROUP, of.of_group(lambda done: of.NOTHING + done.batch),
    ),
    Metric(
        "sk.batch.latency", Kind.HISTOGRAM, "s",
        "Time from reading a batch until the last group has finished it",
        (), of.latency,
    ),
    Metric(
        "sk.source.credit.batches", Kind.GAUGE, "{batch}",
        "Batches that the source may read before another batch is finished; at 0 it waits",
        _WORKER, of.of_worker(lambda worker: worker.credit),
    ),
    Metric(
        "sk.worker.queue.batches", Kind.GAUGE, "{batch}",
        "Batches that a worker has received and not finished",
        _WORKER, of.of_worker(lambda worker: worker.waiting),
    ),
    Metric(
        "sk.worker.time", Kind.COUNTER, "s",
        "Time of a worker by state: busy, backpressured (waiting for downstream groups) or idle",
        (*_WORKER, "state"), of.worker_times,
    ),
    Metric(
        "sk.worker.cpu.time", Kind.COUNTER, "s", "CPU time of a worker process, all threads",
        _WORKER, of.of_worker(lambda worker: worker.totals.cpu_seconds),
    ),
    Metric(
        "sk.worker.memory", Kind.GAUGE, "By", "Resident memory of a worker process",
        _WORKER, of.of_worker(lambda worker: worker.rss_bytes),
    ),
    Metric(
        "sk.worker.up", Kind.GAUGE, "", "1 while a worker process is alive",
        _WORKER, of.of_worker(lambda worker: worker.alive),
    ),
    Metric(
        "sk.worker.ready", Kind.GAUGE, "", "1 while a worker is ready or running",
        _WORKER, of.of_worker(lambda worker: worker.ready),
    ),
    Metric(
        "sk.worker.stuck", Kind.GAUGE, "",
        "1 while a worker makes no progress although batches are waiting",
        _WORKER, of.of_worker(lambda worker: worker.stuck),
    ),
    Metric(
        "sk.worker.heartbeat.age", Kind.GAUGE, "s", "Time since the last message from a worker",
        _WORKER, of.of_worker(lambda worker: worker.heard_age_seconds),
    ),
    Metric(
        "sk.worker.progress.age", Kind.GAUGE, "s", "Time since the last progress of a worker",
        _WORKER, of.of_worker(lambda worker: worker.progress_age_seconds),
    ),
    Metric(
        "sk.restarts", Kind.COUNTER, "{restart}", "Restarts of workers, by group",
        _GROUP, of.restarts,
    ),
    Metric(
        "sk.refusals", Kind.COUNTER, "{refusal}",
        "Connections, frames and messages refused by the data and control listeners, by category",
        ("plane", "category"), of.refusals,
    ),
    Metric(
        "sk.requests", Kind.COUNTER, "{request}",
        "Requests by outcome; refused ones were rejected at once",
        ("outcome",), of.requests,
    ),
    Metric(
        "sk.request.duration", Kind.HISTOGRAM, "s",
        "Time from a request to its outcome, by outcome",
        ("outcome",), of.request_times,
    ),
    Metric(
        "sk.requests.in_flight", Kind.GAUGE, "{request}", "Requests that have no outcome yet",
        (), of.run_value(lambda s: s.status.requests.in_flight),
    ),
    Metric(
        "sk.replies.dropped", Kind.COUNTER, "{reply}",
        "Replies dropped because nobody waited for them, by reason",
        ("reason",), of.dropped_replies,
    ),
    Metric(
        "sk.telemetry.created", Kind.COUNTER, "{item}",
        "Spans, log events and metric snapshots passed to an exporter",
        _EXPORTER, of.of_telemetry(lambda counts: counts.created),
    ),
    Metric(
        "sk.telemetry.exported", Kind.COUNTER, "{item}",
        "Spans, log events and metric snapshots sent or written by an exporter",
        _EXPORTER, of.of_telemetry(lambda counts: counts.exported),
    ),
    Metric(
        "sk.telemetry.dropped", Kind.COUNTER, "{item}",
        "Spans, log events and metric snapshots lost by an exporter, by reason",
        (*_EXPORTER, "reason"), of.dropped,
    ),
)  # fmt: skip
"""Every metric of a run."""
