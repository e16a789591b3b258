"""Metrics by OTLP, to a real receiver; and a receiver that is none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import pytest
from sk_kernel import SECONDS_BOUNDS, GroupStatus, Histogram, RunStatus, Totals, WorkerStatus
from sk_observability import (
    METRICS,
    MetricPump,
    MetricsSnapshot,
    Outlet,
    build_metric_exporters,
    check_exporters,
)
from sk_observability.testing import ACCEPT, HANG, Answer, OtlpReceiver

InTime = Callable[[Callable[[], Any]], None]
SECOND = 1_000_000_000
BATCH = Histogram((0, 3, 0, 4, *(0 for _ in SECONDS_BOUNDS[3:])), 0.5)


def taken(records: int = 7, age: float = 2.0) -> MetricsSnapshot:
    """A snapshot of a run that began a second after the epoch."""
    totals = Totals(records_in=records, busy_seconds=1.5, batch=BATCH)
    worker = WorkerStatus(
        worker_id="g-0.1", pid=1, os_pid=1, alive=True, ready=True, state="running", totals=totals
    )
    status = RunStatus(
        run_id="r1",
        scenario="s",
        profile="memory",
        state="running",
        ready=True,
        age_seconds=age,
        groups=(GroupStatus(name="g", state="running", workers=(worker,)),),
    )
    return MetricsSnapshot(SECOND + int(age * SECOND), status)


@pytest.fixture(params=["grpc", "http"])
def receiver(request: pytest.FixtureRequest) -> Iterator[OtlpReceiver]:
    protocol: Literal["grpc", "http"] = request.param
    with OtlpReceiver(protocol) as receiver:
        yield receiver


def outlet_to(receiver: OtlpReceiver, **settings: object) -> Outlet[MetricsSnapshot]:
    choice = "otel_otlp", {**receiver.settings, **settings}
    [outlet] = build_metric_exporters([choice], worker="supervisor", close_seconds=20.0)
    return outlet


@pytest.mark.contract("P5PRE-OTLP-01", "P5PRE-OTLP-02")
def test_a_real_receiver_gets_every_metric_of_a_snapshot(receiver: OtlpReceiver) -> None:
    outlet = outlet_to(receiver, headers={"x-token": "t"}, service_name="orders")
    outlet.export([taken()])
    outlet.close()
    assert (outlet.counts.exported, outlet.counts.dropped) == (1, {})
    assert receiver.headers[0]["x-token"] == "t"
    points = {(p.name, *p.attributes.values()): p for p in receiver.points}
    records = points["sk.records.in", "g"]
    assert (records.value, records.kind, records.unit) == (7, "sum", "{record}")
    assert (records.start_ns, records.time_ns) == (SECOND, 3 * SECOND)
    assert records.resource["service.name"] == "orders"
    assert records.resource["service.instance.id"] == "supervisor"
    assert points["sk.worker.time", "g", "g-0", "busy"].value == 1.5
    assert points["sk.run.ready",].kind == "gauge"
    batch = points["sk.batch.duration", "g"]
    assert (batch.kind, batch.value, batch.buckets) == ("histogram", 0.5, BATCH.counts)
    assert batch.bounds == SECONDS_BOUNDS
    snapshot = taken()
    with_samples = {m.name for m in METRICS if list(m.samples(snapshot))}
    assert {p.name for p in receiver.points} == with_samples


def test_a_sum_has_one_start_however_often_it_is_sent(receiver: OtlpReceiver) -> None:
    """Else a backend would take each for a counter that began again."""
    outlet = outlet_to(receiver)
    for n in range(3):
        outlet.export([taken(records=n, age=1 + n / 3)])
        assert receiver.wait_until(lambda r, n=n: len(times(r)) == n + 1)
    outlet.close()
    starts = {p.start_ns for p in receiver.points if p.kind == "sum"}
    assert len(starts) == 1


def times(receiver: OtlpReceiver) -> set[int]:
    return {p.time_ns for p in receiver.points}


@pytest.mark.contract("P5PRE-OBS-03", "P5PRE-OTLP-03")
def test_a_receiver_that_hangs_holds_up_nobody_and_what_is_lost_is_counted(
    receiver: OtlpReceiver, in_time: InTime
) -> None:
    receiver.answer_with(HANG)
    outlet = outlet_to(receiver, timeout_seconds=3600, shutdown_timeout_seconds=0.2)
    for _ in range(10):
        outlet.export([taken()])
    in_time(outlet.close)
    counts = outlet.counts
    assert (counts.created, counts.exported, counts.pending) == (10, 0, 0)
    assert sum(counts.dropped.values()) == 10
    assert counts.dropped["queue_full"] == 8


@pytest.mark.contract("P5PRE-OBS-03")
def test_of_the_snapshots_that_wait_for_a_slow_receiver_the_last_one_arrives(
    receiver: OtlpReceiver,
) -> None:
    receiver.answer_with(HANG)
    outlet = outlet_to(receiver, shutdown_timeout_seconds=20)
    outlet.export([taken(age=1)])
    assert receiver.wait_until(lambda r: len(r.headers) == 1)
    for age in (2, 3, 4):
        outlet.export([taken(age=age)])
    receiver.answer_with(ACCEPT)
    outlet.close()
    assert times(receiver) == {2 * SECOND, 5 * SECOND}
    counts = outlet.counts
    assert (counts.created, counts.exported, counts.dropped) == (4, 2, {"queue_full": 2})


REFUSED = {"grpc": "PERMISSION_DENIED", "http": "HTTP 403"}


@pytest.mark.contract("P5PRE-OTLP-03")
@pytest.mark.parametrize("answer", [Answer(refuses=True), Answer(rejects=1)])
def test_a_refusal_is_counted_by_its_reason(receiver: OtlpReceiver, answer: Answer) -> None:
    receiver.answer_with(answer)
    outlet = outlet_to(receiver)
    outlet.export([taken()])
    outlet.close()
    refused = REFUSED[str(receiver.settings["protocol"])]
    assert outlet.counts.dropped == {"rejected" if answer.rejects else refused: 1}


def test_snapshots_go_one_by_one_so_that_a_batch_is_no_setting() -> None:
    faults = check_exporters(metric=[("otel_otlp", {"batch": {}, "protocol": "smoke"})])
    assert [(f.path.rpartition(".settings.")[2], f.category) for f in faults] == [
        ("batch", "unknown_key"),
        ("protocol", "bad_value"),
    ]
    [fault] = check_exporters(metric=[("no_such_kind", {})])
    assert (fault.path, fault.category) == (
        "runtime.observability.metrics.exporters[0].kind",
        "unavailable",
    )


class Kept:
    """An exporter that keeps what it gets, and may hold up who hands it over."""

    def __init__(self, hold: threading.Event | None = None) -> None:
        self.got: list[MetricsSnapshot] = []
        self.closed = False
        self._hold = hold
        self.several = threading.Event()

    def export(self, items: Sequence[MetricsSnapshot]) -> None:
        if self._hold is not None:
            self._hold.wait()
        self.got += items
        if len(self.got) >= 3:
            self.several.set()

    def close(self) -> None:
        self.closed = True


def test_a_pump_hands_over_a_snapshot_each_interval_and_a_last_one_at_the_end() -> None:
    kept, number = Kept(), iter(range(10_000))
    pump = MetricPump([Outlet("kept", kept)], lambda: taken(next(number)), 0.001)
    pump.start()
    assert kept.several.wait(30)
    pump.close(30)
    seen = [s.status.groups[0].workers[0].totals.records_in for s in kept.got]
    assert seen == list(range(len(seen)))
    assert next(number) == len(seen)
    assert kept.closed
    assert pump.counts()[0].exported == len(seen)


@pytest.mark.contract("P5PRE-OBS-03")
def test_a_snapshot_that_cannot_be_taken_is_counted_and_the_next_ones_are_handed_over() -> None:
    kept, number = Kept(), iter(range(10_000))

    def take() -> MetricsSnapshot:
        if (records := next(number)) in {0, 2}:
            raise KeyError("a worker that has just gone")
        return taken(records)

    pump = MetricPump([Outlet("kept", kept)], take, 0.001)
    pump.start()
    assert kept.several.wait(30)
    pump.close(30)
    [counts] = pump.counts()
    assert (counts.dropped, counts.exported) == ({"KeyError": 2}, len(kept.got))
    assert (counts.created, kept.closed) == (next(number), True)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_pump_whose_thread_is_made_to_end_closes_its_exporters() -> None:
    kept = Kept()

    def take() -> MetricsSnapshot:
        raise SystemExit

    pump = MetricPump([Outlet("kept", kept)], take, 0.001)
    pump.start()
    pump.close(30)
    assert (kept.got, kept.closed) == ([], True)


def test_a_pump_that_is_never_due_hands_over_the_end_of_the_run() -> None:
    kept = Kept()
    pump = MetricPump([Outlet("kept", kept)], taken, 3600)
    pump.start()
    pump.close(30)
    assert (len(kept.got), kept.closed) == (1, True)


@pytest.mark.contract("P5PRE-OBS-03")
def test_an_exporter_that_hangs_costs_the_end_of_the_run_no_more_than_its_patience(
    in_time: InTime,
) -> None:
    hold = threading.Event()
    kept = Kept(hold)
    pump = MetricPump([Outlet("kept", kept)], taken, 0.001)
    pump.start()
    in_time(lambda: pump.close(0.2))
    assert not kept.closed
    hold.set()
    pump.close(30)
    assert kept.closed


def test_a_pump_that_was_never_started_hands_nothing_over_and_closes_its_exporters() -> None:
    kept = Kept()
    MetricPump([Outlet("kept", kept)], taken, 1).close(30)
    assert (kept.got, kept.closed) == ([], True)
