"""Pure functions that read the samples of each metric from a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias, get_args

from sk_kernel import (
    SECONDS_BOUNDS,
    GroupStatus,
    Histogram,
    TerminalStatus,
    Totals,
    WorkerStatus,
)

from sk_observability._metrics.metric import MetricsSnapshot, Sample, TelemetryCounts

Samples: TypeAlias = Callable[[MetricsSnapshot], Iterator[Sample]]

NOTHING: Final = Histogram((0,) * (len(SECONDS_BOUNDS) + 1))
"""A histogram with all of its buckets, each empty."""


def of_group(value: Callable[[Totals], float | Histogram]) -> Samples:
    """One sample per group: a value of the totals of all its workers, dead ones included."""

    def samples(snapshot: MetricsSnapshot) -> Iterator[Sample]:
        for group in snapshot.status.groups:
            yield (group.name,), value(group_totals(group))

    return samples


def of_worker(value: Callable[[WorkerStatus], float | None]) -> Samples:
    """One sample per worker, by group and place; none for workers whose value is None."""

    def samples(snapshot: MetricsSnapshot) -> Iterator[Sample]:
        for group in snapshot.status.groups:
            for worker in group.workers:
                found = value(worker)
                if found is not None:
                    yield (group.name, place_of(group, worker)), found

    return samples


def of_telemetry(value: Callable[[TelemetryCounts], float]) -> Samples:
    """One sample per exporter."""

    def samples(snapshot: MetricsSnapshot) -> Iterator[Sample]:
        for one in snapshot.telemetry:
            yield (one.signal, one.exporter), value(one)

    return samples


def worker_times(snapshot: MetricsSnapshot) -> Iterator[Sample]:
    """Three samples per worker: its busy, idle and backpressured time."""
    for group in snapshot.status.groups:
        for worker in group.workers:
            place, done = place_of(group, worker), worker.totals
            yield (group.name, place, "busy"), done.busy_seconds
            yield (group.name, place, "idle"), done.idle_seconds
            yield (group.name, place, "backpressured"), done.backpressured_seconds


def latency(snapshot: MetricsSnapshot) -> Iterator[Sample]:
    """One histogram for the run; only the worker with the source measures the latency."""
    yield (), sum((w.totals.latency for w in snapshot.status.workers()), NOTHING)


def restarts(snapshot: MetricsSnapshot) -> Iterator[Sample]:
    """The number of worker restarts of each group."""
    for group in snapshot.status.groups:
        yield (group.name,), group.restarts


def refusals(snapshot: MetricsSnapshot) -> Iterator[Sample]:
    """The number of refusals by the listeners, by plane and category."""
    for name, count in snapshot.status.refusals.items():
        plane, _, category = name.partition(".")
        yield (plane, category), count


def dropped(snapshot: MetricsSnapshot) -> Iterator[Sample]:
    """The number of items that each exporter lost, by reason."""
    for one in snapshot.telemetry:
        for reason, count in one.dropped.items():
            yield (one.signal, one.exporter, reason), count


def requests(snapshot: MetricsSnapshot) -> Iterator[Sample]:
    """The number of requests by outcome, including those rejected before they began."""
    for outcome, count in snapshot.status.requests.outcomes().items():
        yield (outcome,), count


def request_times(snapshot: MetricsSnapshot) -> Iterator[Sample]:
    """A histogram of request times per outcome; requests that never began have none."""
    for outcome in get_args(TerminalStatus):
        yield (outcome,), NOTHING + snapshot.status.request_seconds.get(outcome, Histogram())


def dropped_replies(snapshot: MetricsSnapshot) -> Iterator[Sample]:
    """The number of dropped replies, by reason."""
    counters = snapshot.status.requests
    yield ("duplicate",), counters.duplicate_terminal
    yield ("late",), counters.late_reply_drop


def run_info(snapshot: MetricsSnapshot) -> Iterator[Sample]:
    """One sample of value 1, labelled with the run's id, scenario and profile."""
    status = snapshot.status
    yield (status.run_id, status.scenario, status.profile), 1


def run_value(value: Callable[[MetricsSnapshot], float]) -> Samples:
    """One sample, without labels, for the whole run."""

    def samples(snapshot: MetricsSnapshot) -> Iterator[Sample]:
        yield (), value(snapshot)

    return samples


def group_totals(group: GroupStatus) -> Totals:
    """Return the sum of the totals of a group's workers."""
    return sum((worker.totals for worker in group.workers), Totals())


def place_of(group: GroupStatus, worker: WorkerStatus) -> str:
    """Return a worker's place in its group, which its replacements after a restart keep."""
    return f"{group.name}-{worker.index}"
