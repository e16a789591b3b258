"""The rails of lifecycle events."""

from __future__ import annotations

import errno
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from sk_kernel import LifecycleEvent
from sk_observability import (
    Account,
    EventName,
    LifecycleLog,
    Outlet,
    RateLimit,
    build_log_exporters,
)

SECOND = 1_000_000_000


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000 * SECOND

    def __call__(self) -> int:
        return self.now


def test_the_names_of_the_checkpoints_are_those_of_the_contract(
    pytestconfig: pytest.Config,
) -> None:
    catalogue = pytestconfig.rootpath / str(pytestconfig.getini("contracts_file"))
    says = yaml.safe_load(catalogue.read_text("utf-8"))["contracts"]["P5PRE-LOG-01"]["says"]
    assert {str(name) for name in EventName} == set(says.partition(": ")[2].split(", "))


def test_an_event_has_its_number_its_time_and_the_run_s_correlation_id() -> None:
    clock = Clock()
    log = LifecycleLog("run-1", clock=clock)
    log.emit(EventName.SUPERVISOR_START_GROUPS)
    clock.now += 5
    log.emit(EventName.WORKER_SPAWNED, group="policy", worker="policy:0:1", fields={"pid": 7})
    assert log.events() == (
        LifecycleEvent(
            sequence=1,
            time_ns=clock.now - 5,
            name="supervisor_start_groups",
            correlation_id="run-1",
        ),
        LifecycleEvent(
            sequence=2,
            time_ns=clock.now,
            name="worker_spawned",
            correlation_id="run-1",
            group="policy",
            worker="policy:0:1",
            fields={"pid": 7},
        ),
    )


def test_an_event_has_its_own_trace_or_else_that_of_the_log() -> None:
    log = LifecycleLog("run-1", trace_id="aa")
    log.emit(EventName.WORKER_READY)
    log.emit(EventName.WORKER_FAILED, trace_id="bb")
    assert [event.trace_id for event in log.events()] == ["aa", "bb"]
    untraced = LifecycleLog("run-1")
    untraced.emit(EventName.WORKER_READY)
    assert [event.trace_id for event in untraced.events()] == [None]


def test_the_event_that_was_recorded_is_returned() -> None:
    log = LifecycleLog("run-1")
    assert (log.emit("a"), log.emit("b")) == log.events()


def test_a_secret_among_the_fields_is_in_no_event() -> None:
    class SecretStr:
        """As pydantic's."""

    log = LifecycleLog("run-1")
    event = log.emit("a", fields={"token": SecretStr(), "record": object()})
    assert event is not None
    assert event.fields == {"token": "SecretStr", "record": "object"}


@pytest.mark.contract("P5PRE-LOG-02")
@pytest.mark.parametrize(
    ("enabled", "level", "names"),
    [
        (True, "info", ["checkpoint"]),
        (True, "debug", ["checkpoint", "detail"]),
        (False, "info", []),
        (False, "debug", []),
    ],
)
def test_enabled_and_level_say_which_events_go_anywhere(
    enabled: bool, level: Any, names: list[str], keeping: Any
) -> None:
    exporter = keeping()
    log = LifecycleLog("run-1", [Outlet("a", exporter)], enabled=enabled, level=level)
    log.emit("checkpoint")
    log.emit("detail", level="debug")
    assert [event.name for event in log.events()] == names
    assert [event.name for event in exporter.items] == names
    assert log.counts().recorded == len(names)


def test_the_ring_keeps_the_last_events_and_counts_those_that_fell_out() -> None:
    log = LifecycleLog("run-1", ring_size=3)
    for _ in range(5):
        log.emit("a")
    assert [event.sequence for event in log.events()] == [3, 4, 5]
    assert (log.counts().recorded, log.counts().fell_out) == (5, 2)


def test_the_ring_holds_a_thousand_events_unless_said() -> None:
    log = LifecycleLog("run-1")
    for _ in range(1001):
        log.emit("a")
    assert (len(log.events()), log.counts().fell_out) == (1000, 1)


@pytest.mark.parametrize(
    ("after", "sequences"), [(0, [3, 4, 5]), (3, [4, 5]), (5, []), (99, []), (-1, [3, 4, 5])]
)
def test_events_after_a_number_are_those_that_the_ring_still_holds(
    after: int, sequences: list[int]
) -> None:
    log = LifecycleLog("run-1", ring_size=3)
    for _ in range(5):
        log.emit("a")
    assert [event.sequence for event in log.after(after)] == sequences


def test_a_flood_of_details_is_bounded_and_costs_no_checkpoint(keeping: Any) -> None:
    exporter = keeping()
    log = LifecycleLog("run-1", [Outlet("a", exporter)], level="debug", clock=Clock())
    for _ in range(10_000):
        log.emit("detail", level="debug")
    for _ in range(100):
        log.emit("checkpoint")
    names = [event.name for event in exporter.items]
    assert (names.count("detail"), names.count("checkpoint")) == (200, 100)
    assert log.counts().flooded == {"debug": 9_800}


def test_events_that_were_flooded_take_no_number() -> None:
    limits = {"info": RateLimit(1, 2), "debug": RateLimit(1, 1)}
    log = LifecycleLog("run-1", level="debug", limits=limits, clock=Clock())  # type: ignore[arg-type]
    log.emit("a", level="debug")
    assert log.emit("b", level="debug") is None
    log.emit("c")
    assert [(event.sequence, event.name) for event in log.events()] == [(1, "a"), (2, "c")]


def test_details_flow_again_after_a_flood_at_their_rate() -> None:
    clock = Clock()
    log = LifecycleLog("run-1", level="debug", clock=clock)
    for _ in range(500):
        log.emit("flood", level="debug")
    before = log.counts().recorded
    clock.now += SECOND
    for _ in range(500):
        log.emit("later", level="debug")
    assert log.counts().recorded - before == 100


def test_checkpoints_of_a_thousand_workers_that_start_and_stop_at_once_are_all_kept() -> None:
    clock = Clock()
    log = LifecycleLog("run-1", clock=clock)
    for _ in range(6 * 1000):
        log.emit(EventName.WORKER_SPAWNED)
    assert log.counts().recorded == 6000


def test_a_flood_of_checkpoints_is_bounded_too() -> None:
    log = LifecycleLog("run-1", clock=Clock())
    for _ in range(10_001):
        log.emit(EventName.WORKER_FAILED)
    assert log.counts().flooded == {"info": 1}


def test_an_exporter_that_raises_breaks_neither_the_run_nor_the_others(keeping: Any) -> None:
    broken = keeping(OSError(errno.ENOSPC, "full"), RuntimeError("a defect"))
    sound = keeping()
    log = LifecycleLog("run-1", [Outlet("jsonl", broken), Outlet("stdout", sound)])
    events = [log.emit("a"), log.emit("b"), log.emit("c")]
    assert sound.items == events
    assert broken.items == events[2:]
    first, second = log.counts().exporters
    assert (first.kind, first.dropped) == ("jsonl", {"ENOSPC": 1, "RuntimeError": 1})
    assert (second.kind, second.dropped) == ("stdout", {})


def test_an_event_after_the_close_is_in_the_ring_and_counted_as_not_exported(keeping: Any) -> None:
    exporter = keeping()
    log = LifecycleLog("run-1", [Outlet("a", exporter)])
    log.close()
    log.emit("late")
    assert [event.name for event in log.events()] == ["late"]
    assert (exporter.items, exporter.closed) == ([], 1)
    assert log.counts().exporters[0].dropped == {"closed": 1}


def test_exporters_that_send_later_are_told_of_the_end_before_the_first_is_waited_for() -> None:
    """So that two that hang cost the time of one; the flood's event is with them by then."""
    happened: list[str] = []

    class Slow:
        def __init__(self, name: str) -> None:
            self.account, self._name = Account(), name

        def export(self, items: Sequence[LifecycleEvent]) -> None:
            self.account.sent(len(items))
            happened.extend(f"{self._name} {event.name}" for event in items)

        def finish(self) -> None:
            happened.append(f"{self._name} finish")

        def close(self) -> None:
            happened.append(f"{self._name} close")

    limits: Any = {"info": RateLimit(1, 1), "debug": RateLimit(1, 1)}
    outlets = [Outlet("a", Slow("a")), Outlet("b", Slow("b"))]
    log = LifecycleLog("run-1", outlets, limits=limits, clock=Clock())
    log.emit("one")
    log.emit("too many")
    happened.clear()
    log.close()
    told = ["a events_flooded", "b events_flooded"]
    assert happened == [*told, "a finish", "b finish", "a close", "b close"]


def test_events_of_many_threads_have_numbers_without_gaps_and_are_exported_in_order(
    keeping: Any,
) -> None:
    exporter = keeping()
    log = LifecycleLog("run-1", [Outlet("a", exporter)])
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        for _ in range(100):
            log.emit("a")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert [event.sequence for event in exporter.items] == list(range(1, 801))
    assert log.events() == tuple(exporter.items)


def test_the_ring_can_be_read_while_an_exporter_hangs() -> None:
    entered, release = threading.Event(), threading.Event()

    class Hanging:
        def export(self, items: Sequence[LifecycleEvent]) -> None:
            entered.set()
            release.wait()

        def close(self) -> None:
            """Nothing is held."""

    log = LifecycleLog("run-1", [Outlet("hanging", Hanging())])
    thread = threading.Thread(target=log.emit, args=("a",))
    thread.start()
    try:
        assert entered.wait(10)
        assert [event.name for event in log.events()] == ["a"]
        assert log.counts().exporters[0].created == 0
    finally:
        release.set()
        thread.join()


def test_events_go_to_standard_output_and_a_file_at_once_each_with_its_correlation_id(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    lines_of: Callable[[Path], list[dict[str, Any]]],
) -> None:
    path = tmp_path / "events.jsonl"
    choices = [("stdout", {}), ("jsonl", {"path": str(path)})]
    log = LifecycleLog("run-1", build_log_exporters(choices))
    log.emit(EventName.WORKER_SPAWNED, group="policy")
    log.emit(EventName.WORKER_READY, group="policy")
    log.close()
    assert [(line["event"], line["correlation_id"]) for line in lines_of(path)] == [
        ("worker_spawned", "run-1"),
        ("worker_ready", "run-1"),
    ]
    spawned, ready = capfd.readouterr().out.splitlines()
    assert " worker_spawned group=policy " in spawned
    assert " worker_ready group=policy " in ready
    assert spawned.endswith("correlation_id=run-1")
    assert ready.endswith("correlation_id=run-1")
