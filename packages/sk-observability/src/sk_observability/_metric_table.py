"""All metrics, in a table: the exporters read it, the documentation prints it."""

from __future__ import annotations

from typing import Final

from sk_observability import _metric_samples as of
from sk_observability._metric import Metric
from sk_observability._metric import MetricKind as Kind

_GROUP: Final = ("group",)
_WORKER: Final = ("group", "worker")
_EXPORTER: Final = ("signal", "exporter")

METRICS: Final = (
    Metric(
        "sk.run.info", Kind.GAUGE, "", "1, with what names the run",
        ("run_id", "scenario", "profile"), of.run_info,
    ),
    Metric(
        "sk.run.ready", Kind.GAUGE, "", "1 while the gate is open and no stop was asked for",
        (), of.run_value(lambda s: s.status.ready),
    ),
    Metric(
        "sk.run.age", Kind.GAUGE, "s", "Time since the run began",
        (), of.run_value(lambda s: s.status.age_seconds),
    ),
    Metric(
        "sk.records.in", Kind.COUNTER, "{record}",
        "Records that were handed to a group's nodes; again where they are worked off again",
        _GROUP, of.of_group(lambda done: done.records_in),
    ),
    Metric(
        "sk.records.out", Kind.COUNTER, "{record}", "Records that a group has passed on",
        _GROUP, of.of_group(lambda done: done.records_out),
    ),
    Metric(
        "sk.records.dead_lettered", Kind.COUNTER, "{record}",
        "Records that a group's nodes gave up, written as dead letters",
        _GROUP, of.of_group(lambda done: done.dead_lettered),
    ),
    Metric(
        "sk.records.skipped", Kind.COUNTER, "{record}",
        "Records that a group's nodes gave up, and that were skipped",
        _GROUP, of.of_group(lambda done: done.skipped),
    ),
    Metric(
        "sk.batch.duration", Kind.HISTOGRAM, "s", "How long a batch was in work in a group",
        _GROUP, of.of_group(lambda done: of.NOTHING + done.batch),
    ),
    Metric(
        "sk.batch.latency", Kind.HISTOGRAM, "s",
        "How long a batch took from the source's reading until the last group was done with it",
        (), of.latency,
    ),
    Metric(
        "sk.source.credit.batches", Kind.GAUGE, "{batch}",
        "Batches that the source may read before one is done with; at 0 it waits",
        _WORKER, of.of_worker(lambda worker: worker.credit),
    ),
    Metric(
        "sk.worker.queue.batches", Kind.GAUGE, "{batch}",
        "Batches that a worker has and is not done with",
        _WORKER, of.of_worker(lambda worker: worker.waiting),
    ),
    Metric(
        "sk.worker.time", Kind.COUNTER, "s",
        "What a worker's time went to: busy in work, backpressured by those downstream, idle",
        (*_WORKER, "state"), of.worker_times,
    ),
    Metric(
        "sk.worker.cpu.time", Kind.COUNTER, "s", "CPU time of a worker's process, all its threads",
        _WORKER, of.of_worker(lambda worker: worker.totals.cpu_seconds),
    ),
    Metric(
        "sk.worker.memory", Kind.GAUGE, "By", "Resident memory of a worker's process",
        _WORKER, of.of_worker(lambda worker: worker.rss_bytes),
    ),
    Metric(
        "sk.worker.up", Kind.GAUGE, "", "1 while a worker's process is alive",
        _WORKER, of.of_worker(lambda worker: worker.alive),
    ),
    Metric(
        "sk.worker.ready", Kind.GAUGE, "", "1 while a worker is ready or running",
        _WORKER, of.of_worker(lambda worker: worker.ready),
    ),
    Metric(
        "sk.worker.stuck", Kind.GAUGE, "", "1 while a worker stands still before waiting work",
        _WORKER, of.of_worker(lambda worker: worker.stuck),
    ),
    Metric(
        "sk.worker.heartbeat.age", Kind.GAUGE, "s", "Time since a worker was last heard of",
        _WORKER, of.of_worker(lambda worker: worker.heard_age_seconds),
    ),
    Metric(
        "sk.worker.progress.age", Kind.GAUGE, "s", "Time since a worker last got on",
        _WORKER, of.of_worker(lambda worker: worker.progress_age_seconds),
    ),
    Metric(
        "sk.restarts", Kind.COUNTER, "{restart}", "Restarts of a group's workers",
        _GROUP, of.restarts,
    ),
    Metric(
        "sk.refusals", Kind.COUNTER, "{refusal}",
        "What the listeners for data and control refused, by category",
        ("plane", "category"), of.refusals,
    ),
    Metric(
        "sk.requests", Kind.COUNTER, "{request}", "Requests that have come to their end, by how",
        ("outcome",), of.requests,
    ),
    Metric(
        "sk.requests.in_flight", Kind.GAUGE, "{request}", "Requests that wait for their reply",
        (), of.run_value(lambda s: s.status.requests.in_flight),
    ),
    Metric(
        "sk.replies.dropped", Kind.COUNTER, "{reply}", "Replies that nobody waited for, by reason",
        ("reason",), of.dropped_replies,
    ),
    Metric(
        "sk.telemetry.created", Kind.COUNTER, "{item}",
        "Spans, log events and snapshots of metrics that an exporter was given",
        _EXPORTER, of.of_telemetry(lambda counts: counts.created),
    ),
    Metric(
        "sk.telemetry.exported", Kind.COUNTER, "{item}", "Those of them that went out",
        _EXPORTER, of.of_telemetry(lambda counts: counts.exported),
    ),
    Metric(
        "sk.telemetry.dropped", Kind.COUNTER, "{item}", "Those of them that are lost, by reason",
        (*_EXPORTER, "reason"), of.dropped,
    ),
)  # fmt: skip
"""Every metric of a run."""
