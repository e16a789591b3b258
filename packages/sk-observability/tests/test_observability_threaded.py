"""Exporters of other packages that do their work in `export`: what hangs there holds up nobody."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sk_kernel import NodeSpan
from sk_observability import ExporterCounts, Outlet, build_log_exporters, build_span_exporters
from sk_observability._exporting.threaded import ThreadedExporter, ThreadLimits

PATIENCE = 30.0
InTime = Callable[[Callable[[], Any]], None]
HANGING = """
import threading
from sk_observability import ExporterKind

released = threading.Event()

class Hanging:
    def __init__(self, settings, origin):
        pass
    def export(self, items):
        released.wait()
    def close(self):
        pass

k = ExporterKind(lambda settings: (), Hanging)
"""


class Gated:
    """Keeps what it is given, once its gate is open."""

    def __init__(self) -> None:
        self.items: list[int] = []
        self.gate, self.closed = threading.Event(), threading.Event()

    def export(self, items: Sequence[int]) -> None:
        self.gate.wait(PATIENCE)
        self.items += items

    def close(self) -> None:
        self.gate.wait(PATIENCE)
        self.closed.set()


@pytest.fixture
def hanging(installed: Callable[..., None]) -> Iterator[Callable[[str], None]]:
    """Installs the kind `k` of this sort, which hangs as long as the test lasts."""
    yield lambda sort: installed(f"sk_observability.{sort}_exporters", "k = other_kinds:k", HANGING)
    sys.modules["other_kinds"].released.set()


@pytest.fixture
def gated() -> Iterator[Gated]:
    exporter = Gated()
    yield exporter
    exporter.gate.set()


def outlet_of(exporter: Gated, **limits: float) -> Outlet[int]:
    told = ThreadLimits(**{"room": 4, "stall_seconds": PATIENCE, **limits})  # type: ignore[arg-type]
    return Outlet("gated", ThreadedExporter("gated", exporter, told))


@pytest.mark.contract("P5PRE-OBS-03", "P5PRE-OBS-05")
def test_a_kind_of_another_package_that_hangs_holds_up_neither_the_export_nor_the_end(
    hanging: Callable[[str], None], span: Callable[..., NodeSpan], in_time: InTime
) -> None:
    hanging("span")
    [outlet] = build_span_exporters([("k", {})], close_seconds=0.1)
    in_time(lambda: outlet.export([span(1), span(2)]))
    in_time(outlet.close)
    assert outlet.counts == ExporterCounts(
        "k", 2, 0, {"shutdown_timeout": 2}, close_failure="shutdown_timeout"
    )


@pytest.mark.contract("P5PRE-OBS-03")
def test_events_are_not_waited_for(hanging: Callable[[str], None], in_time: InTime) -> None:
    hanging("log")
    [outlet] = build_log_exporters([("k", {})], close_seconds=0.1)
    for _ in range(3):
        in_time(lambda: outlet.export([None] * 15_000))  # type: ignore[list-item]
    outlet.close()
    assert outlet.counts.dropped == {"queue_full": 30_000, "shutdown_timeout": 15_000}


def test_an_exporter_that_is_slow_is_waited_for_and_gets_everything_in_order(gated: Gated) -> None:
    outlet = outlet_of(gated)
    opened = threading.Timer(0.05, gated.gate.set)
    opened.start()
    for number in range(0, 30, 3):
        outlet.export([number, number + 1, number + 2])
    outlet.close()
    opened.join()
    assert gated.items == list(range(30))
    assert outlet.counts == ExporterCounts("gated", 30, 30)
    assert gated.closed.is_set()


def test_one_that_hangs_costs_one_stall_timeout_and_is_given_more_when_it_goes_on(
    gated: Gated, until: InTime
) -> None:
    outlet = outlet_of(gated, stall_seconds=0.05)
    for number in range(4):
        outlet.export([number, number])
    assert outlet.counts.dropped == {"stalled": 4}
    gated.gate.set()
    until(lambda: not outlet.counts.pending)
    outlet.export([7])
    outlet.close()
    assert gated.items == [0, 0, 1, 1, 7]
    assert outlet.counts == ExporterCounts("gated", 9, 5, {"stalled": 4})


def test_more_at_once_than_there_is_room_for_is_taken_where_nothing_waits(gated: Gated) -> None:
    gated.gate.set()
    outlet = outlet_of(gated)
    outlet.export(list(range(9)))
    outlet.close()
    assert outlet.counts == ExporterCounts("gated", 9, 9)


def test_one_that_was_given_nothing_is_closed_all_the_same(gated: Gated) -> None:
    gated.gate.set()
    outlet_of(gated).close()
    assert gated.closed.is_set()


def test_a_close_that_hangs_is_told_of_and_not_waited_for(gated: Gated) -> None:
    outlet = outlet_of(gated, close_seconds=0.05)
    outlet.close()
    assert outlet.counts.close_failure == "shutdown_timeout"
    assert not gated.closed.is_set()
