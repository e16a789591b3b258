"""Lines to what hangs or is slow: pipes that nobody reads, readers that stop, go and come back."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sk_kernel import LifecycleEvent, NodeSpan
from sk_observability import (
    ExporterCounts,
    LifecycleLog,
    Outlet,
    build_log_exporters,
    build_span_exporters,
)
from sk_observability._building.formats import events_as_json
from sk_observability._exporting.reasons import STALLED
from sk_observability._lines.exporter import LineExporter
from sk_observability._lines.queue import LineLimits, LineQueue, Lines

PATIENCE = 30.0
LARGE = "n" * 100_000
"""A name of which some forty are all that a queue of lines holds."""
MakeSpan = Callable[..., NodeSpan]
Until = Callable[[Callable[[], Any]], None]
InTime = Callable[[Callable[[], Any]], None]

STOPPED_READER = """
import sys
from sk_kernel import LifecycleEvent
from sk_observability import build_log_exporters

[outlet] = build_log_exporters([("stdout", {"stall_timeout_seconds": 0.1})])
outlet.export([
    LifecycleEvent(sequence=n, time_ns=0, name="e" * 200, correlation_id="run")
    for n in range(1000)
])
outlet.close()
counts = outlet.counts
print(counts.created, counts.exported, counts.dropped, file=sys.stderr)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A named pipe."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def exporter_to(path: Path, **settings: Any) -> Outlet[NodeSpan]:
    """One that takes what does not move for a tenth of a second for stalled."""
    choice = {"path": str(path), "stall_timeout_seconds": 0.1, **settings}
    [outlet] = build_span_exporters([("jsonl", choice)])
    return outlet


class Reader:
    """Reads a pipe to its end, in a thread, once it is told to; the pipe is open before."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._thread = threading.Thread(target=self._read)
        self._parts: list[bytes] = []

    def start(self) -> None:
        os.set_blocking(self._descriptor, True)
        self._thread.start()

    def has_all(self) -> bool:
        """Whether the pipe is empty."""
        return not select.select([self._descriptor], [], [], 0)[0]

    def lines(self) -> list[bytes]:
        """All that was read, whole or not, when nobody writes any more."""
        if self._thread.ident is not None:
            self._thread.join(PATIENCE)
        return b"".join(self._parts).splitlines()

    def _read(self) -> None:
        with os.fdopen(self._descriptor, "rb", buffering=0) as pipe:
            select.select([pipe], [], [], PATIENCE)  # before anybody writes, its end is here
            while part := pipe.read(1 << 16):
                self._parts.append(part)


@pytest.fixture
def stopped(path: Path) -> Iterator[Reader]:
    """A reader that has the pipe open, and does not read yet."""
    reader = Reader(path)
    yield reader
    reader.lines()


@pytest.mark.contract("P5PRE-OBS-03")
def test_a_reader_that_stops_costs_lines_and_one_that_reads_again_gets_what_comes_then(
    path: Path, stopped: Reader, span: MakeSpan, until: Until
) -> None:
    times = {"stall_timeout_seconds": 1, "shutdown_timeout_seconds": PATIENCE}
    outlet = exporter_to(path, **times)
    large = span(name=LARGE)
    while not outlet.counts.dropped:
        outlet.export([large])
    stopped.start()
    until(lambda: not outlet.counts.pending)
    until(stopped.has_all)  # so that there is room for the next one
    outlet.export([span(2, name="after")])
    outlet.close()
    lines = stopped.lines()
    assert outlet.counts.dropped.keys() == {"stalled"}
    assert len(lines) == outlet.counts.exported > 40
    assert all(line.startswith(b"{") and line.endswith(b"}") for line in lines)
    assert b'"after"' in lines[-1]


@pytest.mark.contract("P5PRE-OBS-03")
def test_a_pipe_that_nobody_opens_holds_up_neither_an_export_nor_the_end(
    path: Path, span: MakeSpan, until: Until
) -> None:
    """However long the end may take; and no thread stays behind."""
    before = set(threading.enumerate())
    outlet = exporter_to(path, shutdown_timeout_seconds=60)
    outlet.export([span(1), span(2)])
    outlet.close()
    assert outlet.counts == ExporterCounts("jsonl", created=2, dropped={"stalled": 2})
    until(lambda: not set(threading.enumerate()) - before)


def test_a_reader_that_comes_late_gets_everything(path: Path, span: MakeSpan) -> None:
    outlet = exporter_to(path, stall_timeout_seconds=PATIENCE)
    outlet.export([span(1)])
    reader = Reader(path)
    outlet.export([span(2)])
    reader.start()
    outlet.close()
    assert len(reader.lines()) == outlet.counts.exported == 2


def test_a_reader_that_has_gone_is_counted_and_another_one_gets_what_comes_then(
    path: Path, span: MakeSpan, until: Until
) -> None:
    outlet = exporter_to(path, stall_timeout_seconds=PATIENCE)
    gone = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    outlet.export([span(1, name=LARGE)])  # more than a pipe holds
    until(lambda: select.select([gone], [], [], 0)[0])
    os.close(gone)
    until(lambda: not outlet.counts.pending)
    reader = Reader(path)
    reader.start()
    outlet.export([span(2)])
    outlet.close()
    assert b'"sequence":2' in reader.lines()[-1]
    assert (outlet.counts.exported, outlet.counts.dropped) == (1, {"EPIPE": 1})


@pytest.mark.contract("P5PRE-OBS-03")
def test_a_standard_output_whose_reader_has_stopped_holds_up_no_end() -> None:
    """As `run | less` does, until one turns the page."""
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED_READER], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.wait(PATIENCE) == 0
    out, err = process.communicate()
    exported = out.count(b"\n")
    assert 0 < exported < 1000
    lost = f"{{'stalled': {1000 - exported}}}"
    assert err.decode() == f"1000 {exported} {lost}\n"


class Slow:
    """A file that takes a batch when it is told to."""

    def __init__(self) -> None:
        self.written, self.may = 0, threading.Semaphore(0)

    def write(self, data: bytes) -> Iterator[int]:
        assert self.may.acquire(timeout=PATIENCE)
        self.written += len(data)
        yield len(data)

    def close(self) -> None:
        """Nothing is open."""


class Hanging(Slow):
    """One that says now and then that it still waits, and ends in the middle of a line."""

    def write(self, data: bytes) -> Iterator[int]:
        while not self.may.acquire(timeout=0.001):
            yield data.index(b"\n") + 2


def outlet_to(file: Any, **limits: float) -> Outlet[LifecycleEvent]:
    return Outlet("lines", LineExporter(file, events_as_json, LineLimits(**limits)))


@pytest.mark.contract("P5PRE-OBS-03")
def test_a_file_that_is_slower_than_the_flood_loses_nothing(
    event: Callable[..., LifecycleEvent], until: Until
) -> None:
    """Five times of what the queue holds, by one who has to wait for room again and again."""
    slow = Slow()
    outlet = outlet_to(slow, stall_seconds=PATIENCE, close_seconds=PATIENCE)
    batch = [event(fields={"text": LARGE})] * 10
    flood = threading.Thread(target=lambda: [outlet.export(batch) for _ in range(20)])
    flood.start()
    until(lambda: outlet.counts.pending >= 50)  # and not all of the 200, for there is no room
    assert flood.is_alive()
    for _ in range(20):
        slow.may.release()
    flood.join(PATIENCE)
    outlet.close()
    assert outlet.counts == ExporterCounts("lines", created=200, exported=200)
    assert slow.written > 20_000_000


@pytest.mark.contract("P5PRE-OBS-03")
def test_what_hangs_costs_who_exports_one_stall_timeout_and_then_nothing(
    event: Callable[..., LifecycleEvent], in_time: InTime
) -> None:
    slow = Slow()
    outlet = outlet_to(slow, stall_seconds=0.5, close_seconds=3600)
    batch = [event(fields={"text": LARGE})] * 10
    while not outlet.counts.dropped:
        outlet.export(batch)

    def rest() -> None:  # a hundred and one timeouts were more than is waited for this
        for _ in range(100):
            outlet.export(batch)
        outlet.close()

    in_time(rest)
    slow.may.release()
    counts = outlet.counts
    assert (counts.exported, counts.pending) == (0, 0)
    assert counts.dropped == {"stalled": counts.created}


MIB = 1024 * 1024


@pytest.mark.contract("P5PRE-OBS-03")
def test_what_takes_a_little_now_and_then_is_waited_for_again_only_when_half_is_out(
    in_time: InTime,
) -> None:
    """Each little was worth another stall timeout: a hundred of them were fifty seconds."""
    queue = LineQueue(LineLimits(stall_seconds=0.5))
    for _ in range(6):
        queue.put(Lines(b"x" * MIB, 1))
    queue.take()
    assert queue.wait_for_room() == STALLED

    def little() -> None:
        for step in range(100):
            queue.went(step * 4096)
            assert queue.wait_for_room() == STALLED

    in_time(little)
    began = time.monotonic()
    for _ in range(4):
        queue.settle()
        queue.take()
    for _ in range(4):
        queue.put(Lines(b"x" * MIB, 1))
    assert queue.wait_for_room() == STALLED
    assert time.monotonic() - began >= 0.5


@pytest.mark.contract("P5PRE-OBS-03")
def test_events_are_never_waited_for(path: Path, event: Callable[..., LifecycleEvent]) -> None:
    """Whoever tells them has a run to watch."""
    times = {"stall_timeout_seconds": PATIENCE, "shutdown_timeout_seconds": 0.1}
    choice = {"path": str(path), **times}
    [outlet] = build_log_exporters([("jsonl", choice)])
    batch = [event(fields={"text": LARGE})] * 10
    for _ in range(10):
        outlet.export(batch)
    held = outlet.counts.pending
    assert outlet.counts.dropped == {"queue_full": 100 - held}
    outlet.close()
    assert 40 < held < 60


@pytest.mark.contract("P5PRE-OBS-03")
def test_who_waits_for_room_stops_when_nothing_more_is_taken(
    event: Callable[..., LifecycleEvent], until: Until, in_time: InTime
) -> None:
    """And does not take its time from the end, for which the outlet has to be free."""
    slow = Slow()
    outlet = outlet_to(slow, stall_seconds=3600, close_seconds=PATIENCE)
    batch = [event(fields={"text": LARGE})] * 50
    outlet.export(batch)
    waiting = threading.Thread(target=outlet.export, args=(batch,), daemon=True)
    waiting.start()
    until(lambda: outlet.counts.created == 100)
    in_time(outlet.finish)
    in_time(waiting.join)
    slow.may.release()
    outlet.close()
    lost = {"closed": 50}
    assert outlet.counts == ExporterCounts("lines", created=100, exported=50, dropped=lost)


@pytest.mark.contract("P5PRE-OBS-03")
def test_a_file_that_is_well_writes_what_it_was_just_given_though_no_time_is_left(
    tmp_path: Path,
) -> None:
    """The writer has one turn. On a busy machine that may be short: hence one of twenty tries."""

    def ended_at_once(number: int) -> ExporterCounts:
        path = tmp_path / f"{number}.jsonl"
        log = LifecycleLog("r", build_log_exporters([("jsonl", {"path": str(path)})]))
        for _ in range(5):
            log.emit("worker_ready")
        log.finish(0.0)
        log.close()
        return log.counts().exporters[0]

    kept = ExporterCounts("jsonl", created=5, exported=5)
    assert any(ended_at_once(number) == kept for number in range(20))


@pytest.mark.contract("P5PRE-OBS-03")
def test_files_that_hang_are_waited_for_side_by_side(event: Callable[..., LifecycleEvent]) -> None:
    """Twenty of them: one after the other they had twenty seconds, and all have fifteen."""
    files = [Slow() for _ in range(20)]
    outlets = [outlet_to(file, stall_seconds=1.0, close_seconds=15) for file in files]
    log = LifecycleLog("r", outlets)
    log.emit("worker_ready")
    log.close()
    for file in files:
        file.may.release()
    assert [outlet.counts.dropped for outlet in outlets] == [{"stalled": 1}] * 20


@pytest.mark.contract("P5PRE-OBS-03")
def test_the_end_gives_up_in_mid_line_and_counts_the_lines_that_are_out_whole(
    event: Callable[..., LifecycleEvent],
) -> None:
    hanging = Hanging()
    outlet = outlet_to(hanging, stall_seconds=0.1, close_seconds=3600)
    outlet.export([event(1), event(2), event(3)])
    outlet.close()
    hanging.may.release()
    assert outlet.counts == ExporterCounts("lines", created=3, exported=1, dropped={"stalled": 2})


def test_the_time_at_the_end_is_all_there_is_however_long_the_stall_timeout(
    event: Callable[..., LifecycleEvent],
) -> None:
    slow = Slow()
    outlet = outlet_to(slow, stall_seconds=3600, close_seconds=3600)
    outlet.export([event(1)])
    outlet.finish(0.05)
    outlet.close()
    slow.may.release()
    assert outlet.counts.dropped == {"shutdown_timeout": 1}


def test_a_file_that_does_not_close_is_told_of(event: Callable[..., LifecycleEvent]) -> None:
    class Unclosed(Slow):
        def close(self) -> None:
            raise OSError(5, "what was written is lost after all")

    file = Unclosed()
    file.may.release()
    outlet = outlet_to(file, close_seconds=PATIENCE)
    outlet.export([event(1)])
    outlet.close()
    assert (outlet.counts.exported, outlet.counts.close_failure) == (1, "EIO")
