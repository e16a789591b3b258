"""Parts of a worker that wait: credit, the source's thread, the pulse."""

from __future__ import annotations

import asyncio
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from sk_config import build_config
from sk_control import ControlLostError, ControlMessage, ExporterCounts, Heartbeat, SpanCounts
from sk_control import Progress as ProgressMessage
from sk_kernel import (
    AdapterFailedError,
    NodeFailedError,
    NodeOutputError,
    Progress,
    RecordTooLargeError,
    RunError,
)
from sk_kernel.runtime import BatchLimits, Meter, SourceDriver, TraceIds
from sk_supervisor import prepare
from sk_supervisor._processes.spawn import Standard, WorkerStart, interpreter_options
from sk_supervisor._worker.assembly import Assembly
from sk_supervisor._worker.inbox import Broke, Credit, Item, SourceRead
from sk_supervisor._worker.pulse import Pulse
from sk_supervisor._worker.reports import print_failure
from sk_supervisor._worker.source_thread import SourceThread
from sk_supervisor.errors import ApplicationExitError
from supervisor_harness import PATIENCE, in_time, meanwhile, settings, threadless

WAIT = 10.0


class Numbers:
    """A source of numbers that can block, deaf or not, and fail to close."""

    def __init__(self, *, deaf: bool = False, fails: bool = False, last: int = 10**9) -> None:
        self.reads = 0
        self.reading, self.let_go = threading.Event(), threading.Event()
        self.closed = threading.Event()
        self._deaf, self._fails, self._last = deaf, fails, last

    def open(self) -> None: ...

    def read(self, max_records: int, max_bytes: int) -> Sequence[int]:
        self.reads += 1
        if self.reads > self._last:
            return ()
        if self._deaf and self.reads == 3:
            self.reading.set()
            self.let_go.wait()
        return [self.reads]

    def interrupt(self) -> None:
        if not self._deaf:
            self.let_go.set()

    def close(self) -> None:
        self.closed.set()
        if self._fails:
            raise OSError("cannot close")


def raising(error: type[BaseException]) -> Callable[..., Any]:
    """A method that does nothing else."""

    def method(*_: object) -> Any:
        raise error

    return method


class Reading:
    """A source's thread with what it delivers."""

    def __init__(self, source: Any, in_flight: int, patience: float = 1.0) -> None:
        graph = prepare(build_config(settings(Path("out.txt")))).plan.graph
        driver = SourceDriver(graph, source, BatchLimits(), TraceIds("r1"), sampling=False)
        self.credit = Credit(in_flight)
        self.inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self.thread = SourceThread(driver, self.credit, self.inbox.put, patience=patience)
        self.thread.open()

    def batch(self) -> Any:
        item = self.inbox.get(timeout=WAIT)
        assert isinstance(item, SourceRead)
        return item.batch

    def error(self) -> BaseException:
        item = self.inbox.get(timeout=WAIT)
        assert isinstance(item, Broke)
        return item.error


def held_up(source: Numbers, patience: float = 1.0) -> Reading:
    """The thread of a deaf source, which is in its third read."""
    reading = Reading(source, in_flight=100, patience=patience)
    reading.thread.start()
    assert source.reading.wait(WAIT)
    return reading


def test_the_source_is_read_no_further_ahead_than_credit_goes() -> None:
    source = Numbers()
    reading = Reading(source, in_flight=4)
    reading.thread.start()
    assert [reading.batch().number for _ in range(4)] == [1, 2, 3, 4]
    reading.credit.acknowledge(2)
    assert [reading.batch().number for _ in range(2)] == [5, 6]
    assert source.reads == 6
    reading.thread.interrupt()
    final = reading.batch()
    assert (final.number, final.final, final.complete) == (7, True, False)
    reading.thread.end(WAIT)
    assert source.closed.is_set()


class Held(Meter):
    """Hears when somebody is about to wait for credit."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = threading.Semaphore(0)

    def hold(self) -> None:
        self.waiting.release()


@pytest.mark.parametrize("how", ["end", "look_again"])
def test_all_who_wait_for_credit_hear_that_the_input_ends(how: str) -> None:
    meter, over = Held(), threading.Event()
    credit = Credit(1, meter)
    threads = [
        threading.Thread(target=credit.wait_for, args=[5, over.is_set], daemon=True)
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
        assert meter.waiting.acquire(timeout=WAIT)
    over.set()
    getattr(credit, how)()  # takes the lock, which each has until it waits
    for thread in threads:
        thread.join(WAIT)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize(
    "circumstances", [nullcontext, threadless], ids=["", "no thread can be had for it"]
)
def test_a_source_that_does_not_heed_its_interrupt_is_left_behind(
    circumstances: Callable[[], AbstractContextManager[None]],
) -> None:
    source = Numbers(deaf=True)
    reading = held_up(source)
    assert [reading.batch().last for _ in range(2)] == [1, 2]
    with circumstances():
        reading.thread.interrupt()
    final = reading.batch()
    assert (final.number, final.first, final.last) == (3, 3, 2)
    assert (final.final, final.complete) == (True, False)
    source.let_go.set()  # what it gives now is nobody's
    reading.thread.end(WAIT)
    assert reading.inbox.empty()


class SourceFirst:
    """A lock that the source's thread gets first, with one more batch, when its time is over."""

    def __init__(self, let_go: threading.Event) -> None:
        self._lock, self._let_go = threading.Lock(), let_go
        self._passed, self._left = threading.Event(), threading.Event()

    def __enter__(self) -> None:
        leaving = isinstance(threading.current_thread(), threading.Timer)
        if leaving:
            self._let_go.set()
            assert self._passed.wait(WAIT)
        self._lock.acquire()
        if leaving:
            self._left.set()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if threading.current_thread().name == "source" and self._let_go.is_set():
            self._passed.set()
            self._left.wait(WAIT)


def test_a_batch_that_comes_just_when_its_source_is_left_behind_has_its_number_for_itself() -> None:
    source = Numbers(deaf=True)
    reading = Reading(source, in_flight=100, patience=0.01)
    reading.thread._lock = SourceFirst(source.let_go)  # type: ignore[assignment]
    reading.thread.start()
    assert source.reading.wait(WAIT)
    reading.thread.interrupt()
    given = [reading.batch() for _ in range(4)]
    assert [(batch.number, batch.last) for batch in given] == [(1, 1), (2, 2), (3, 3), (4, 3)]
    assert given[-1].final
    reading.thread.end(WAIT)


class Plenty(Numbers):
    """Gives six batches in one read."""

    def read(self, max_records: int, max_bytes: int) -> Sequence[int]:
        self.reads += 1
        return range(6 * max_records) if self.reads == 1 else ()


@pytest.mark.parametrize(
    "circumstances", [nullcontext, threadless], ids=["", "no thread can be had for it"]
)
def test_a_source_that_is_in_no_read_is_not_left_behind_and_what_it_gave_has_its_credit(
    circumstances: Callable[[], AbstractContextManager[None]],
) -> None:
    source = Plenty()
    reading = Reading(source, in_flight=2, patience=0.0)
    reading.thread.start()
    given = [reading.batch() for _ in range(2)]
    with circumstances():
        reading.thread.interrupt()
    impatience = reading.thread._impatience
    assert impatience is not None
    if circumstances is nullcontext:
        impatience.join(WAIT)
    assert reading.inbox.empty()
    while not given[-1].final:
        reading.credit.acknowledge(given[-1].number)
        given.append(reading.batch())
    assert given[-1].last == 6 * given[0].last
    reading.thread.end(WAIT)
    assert source.closed.is_set()


def test_a_source_that_was_left_behind_is_not_waited_for_at_the_end() -> None:
    source = Numbers(deaf=True)
    reading = held_up(source, patience=0.01)
    reading.thread.interrupt()
    while not reading.batch().final:
        pass
    with in_time():
        reading.thread.end(3600)
    source.let_go.set()


@pytest.mark.parametrize(("stop", "seconds"), [(1, 0.2), (3, 0.6), (30, 1.0)])
def test_a_source_has_half_of_a_drain_to_heed_its_interrupt_and_a_second_at_most(
    stop: int, seconds: float
) -> None:
    """What is left of it is for what was read before."""
    limited = settings(Path("out.txt"), every_group={"stop_timeout_seconds": stop})
    assert prepare(build_config(limited)).source_seconds == pytest.approx(seconds)


class Slow(Numbers):
    """Its interrupt returns when it is let go, and can fail."""

    def interrupt(self) -> None:
        assert self.let_go.wait(WAIT)
        if self._fails:
            raise OSError("cannot be interrupted")


def test_an_interrupt_that_takes_its_time_holds_up_nobody_who_asks_for_it() -> None:
    source = Slow(deaf=True)
    reading = held_up(source)
    reading.thread.interrupt()
    reading.thread.interrupt()
    assert not source.let_go.is_set()
    source.let_go.set()
    reading.thread.end(WAIT)
    assert source.closed.is_set()


def test_where_no_thread_can_be_had_a_source_that_is_not_read_yet_is_interrupted() -> None:
    reading = Reading(Numbers(), in_flight=100)
    with threadless():
        reading.thread.interrupt()
    reading.thread.start()
    assert reading.batch().final
    reading.thread.end(WAIT)


def test_an_interrupt_that_fails_is_told() -> None:
    source = Slow(fails=True)
    reading = Reading(source, in_flight=0)
    source.let_go.set()
    reading.thread.interrupt()
    assert isinstance(reading.error(), AdapterFailedError)


def test_a_source_that_cannot_be_closed_breaks_before_the_end_is_told() -> None:
    reading = Reading(Numbers(fails=True, last=1), in_flight=4)
    reading.thread.start()
    assert reading.batch().number == 1
    assert isinstance(reading.error(), AdapterFailedError)


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (asyncio.CancelledError, AdapterFailedError),
        (GeneratorExit, AdapterFailedError),
        (KeyboardInterrupt, ApplicationExitError),
        (SystemExit, ApplicationExitError),
    ],
)
def test_a_source_that_raises_what_is_no_exception_breaks_the_work(
    raised: type[BaseException], told: type[Exception]
) -> None:
    source = Numbers()
    source.read = raising(raised)  # type: ignore[method-assign]
    reading = Reading(source, in_flight=4)
    reading.thread.start()
    error = reading.error()
    assert isinstance(error, told)
    assert raised.__name__ in str(error) or "sys.exit()" in str(error)


def test_an_interrupt_that_calls_sys_exit_is_told() -> None:
    source = Numbers()
    source.interrupt = raising(SystemExit)  # type: ignore[method-assign]
    reading = Reading(source, in_flight=0)
    reading.thread.interrupt()
    assert str(reading.error()) == "source:source failed to interrupt: SystemExit"


def test_closing_a_source_at_the_end_of_input_is_work_that_waits() -> None:
    closing, gate = threading.Event(), threading.Event()

    def close() -> None:
        closing.set()
        gate.wait()

    source = Numbers(last=0)
    source.close = close  # type: ignore[method-assign]
    reading = Reading(source, in_flight=4)
    assert not reading.thread.closes
    reading.thread.start()
    assert closing.wait(WAIT)
    assert reading.thread.closes
    gate.set()
    assert reading.batch().final
    assert not reading.thread.closes


def test_a_source_that_was_opened_and_never_read_is_closed() -> None:
    source = Numbers()
    Reading(source, in_flight=4).thread.end(WAIT)
    assert source.closed.is_set()
    assert source.reads == 0


class Part:
    """A part of a worker that notes its end, and credit that notes when it is waited for."""

    def __init__(self, name: str, told: list[str]) -> None:
        self._name, self._told = name, told

    def end(self) -> None:
        self._told.append(self._name)

    def settle(self, timeout: float) -> None:
        assert 0 < timeout < 1  # of which a stop of a second leaves something
        self._told.append(self._name)

    close = shutdown = end


class SegmentsPart(Part):
    """Segments, which close the services."""

    def close(self) -> None:
        self._told.append("services")


def assembled(told: list[str], reader: SourceThread | None = None) -> Assembly:
    data_plane, credit, spans = (Part(name, told) for name in ("data_plane", "credit", "spans"))
    responder, segments = Part("responder", told), SegmentsPart("segments", told)
    parts: Any = {"segments": segments, "engine": None, "responder": responder, "spans": spans}
    return Assembly(**parts, data_plane=data_plane, credit=credit, reader=reader)


def test_a_source_that_cannot_be_closed_keeps_no_span_and_no_connection_from_its_end() -> None:
    told: list[str] = []
    assembly = assembled(told, Reading(Numbers(fails=True), in_flight=4).thread)
    with pytest.raises(AdapterFailedError):
        assembly.end()
    assert told == ["responder", "segments", "services", "spans", "data_plane"]


def test_a_drained_worker_waits_for_its_last_credit_behind_its_spans_and_not_before() -> None:
    """Whoever waited first would lose its spans where it is given no time."""
    told: list[str] = []
    assembly = assembled(told)
    assembly.reported = True
    assembly.end()
    assert told == ["responder", "segments", "services", "spans", "credit", "data_plane"]


def test_a_worker_that_is_not_drained_waits_for_no_credit() -> None:
    told: list[str] = []
    assembled(told).end()
    assert told == ["responder", "segments", "services", "spans", "data_plane"]


def test_credit_settles_when_all_that_was_read_is_done_with_or_in_time() -> None:
    credit = Credit(4)
    for epoch in (1, 2):
        credit.wait_for(epoch)
    credit.acknowledge(1)
    credit.settle(0.001)
    assert credit.acknowledged == 1
    with meanwhile(lambda: credit.acknowledge(2)):
        credit.settle(WAIT)
        assert credit.acknowledged == 2


def test_credit_wakes_a_waiter_by_an_acknowledgement_or_by_the_end() -> None:
    credit = Credit(1)
    passed: queue.SimpleQueue[int] = queue.SimpleQueue()

    def wait() -> None:
        for epoch in (1, 2, 3):
            credit.wait_for(epoch)
            passed.put(epoch)

    with meanwhile(wait):
        assert passed.get(timeout=WAIT) == 1
        assert passed.empty()
        credit.acknowledge(1)
        assert passed.get(timeout=WAIT) == 2
        credit.end()
        assert passed.get(timeout=WAIT) == 3


class Hour:
    """A clock that moves by what is waited for, each time a little more, until it is over."""

    def __init__(self, seconds: float, late: float = 0.0) -> None:
        self.now, self._end, self._late = 0.0, seconds, late

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds + self._late
        return self.now > self._end


def pulse_for(hour: Hour, heartbeat_seconds: float, progress_seconds: float) -> list[Any]:
    """What a pulse says in that time, each with when it does."""
    said: list[tuple[float, ControlMessage]] = []
    pulse = Pulse(
        lambda message: said.append((hour.now, message)),
        progress=lambda: Progress(
            group="a", records_in=5, records_out=4, batches=1, state="running"
        ),
        waiting=lambda: 2,
        heartbeat_seconds=heartbeat_seconds,
        progress_seconds=progress_seconds,
        clock=hour,
        wait=hour.wait,
    )
    pulse.start()
    pulse.stop()
    return said


def test_the_pulse_beats_and_tells_progress_each_at_its_own_pace() -> None:
    beat, report = Heartbeat(), ProgressMessage(5, 4, 1, "running", "", 2)
    told = [(2, report), (4, report), (5, beat), (6, report), (8, report), (10, beat), (10, report)]
    assert pulse_for(Hour(11), heartbeat_seconds=5, progress_seconds=2) == told


def test_a_pulse_that_wakes_late_says_what_is_due_once_and_counts_from_there() -> None:
    said = pulse_for(Hour(30, late=7), heartbeat_seconds=5, progress_seconds=2)
    assert [(at, type(word)) for at, word in said] == [
        (at, kind) for at in (9, 18, 27) for kind in (Heartbeat, ProgressMessage)
    ]


def test_the_pulse_tells_what_has_become_of_the_spans_with_the_progress() -> None:
    said: queue.SimpleQueue[ControlMessage] = queue.SimpleQueue()
    counts = SpanCounts(3, (ExporterCounts("jsonl", 2, {"ENOSPC": 1}),))
    pulse = Pulse(
        said.put,
        progress=lambda: Progress(group="a"),
        waiting=lambda: 0,
        heartbeat_seconds=60,
        progress_seconds=0.02,
        spans=lambda: counts,
    )
    pulse.start()
    words = [said.get(timeout=WAIT) for _ in range(4)]
    pulse.stop()
    assert [type(word) for word in words] == [ProgressMessage, SpanCounts] * 2
    assert words[1] == counts


def test_the_pulse_ends_with_its_session() -> None:
    tried = threading.Event()

    def send(_: ControlMessage) -> None:
        tried.set()
        raise ControlLostError("a-0.1")

    pulse = Pulse(
        send, progress=lambda: Progress(group="a"), waiting=lambda: 0, heartbeat_seconds=0.01
    )
    pulse.start()
    assert tried.wait(PATIENCE)
    pulse.stop()


def test_the_token_of_a_worker_is_in_no_repr() -> None:
    start = WorkerStart(
        "a-0.1", "a", 0, 1, "127.0.0.1:1", "c0ffee", "s", 30, {}, Standard(False, False)
    )
    assert "c0ffee" not in repr(start)
    assert "c0ffee" in start.assignment(0).values()


def test_workers_run_under_the_options_of_this_interpreter() -> None:
    program = "from sk_supervisor._processes.spawn import interpreter_options as o; print(*o())"
    given = ["-O", "-W", "error::UserWarning", "-X", "utf8=1", "-B"]
    done = subprocess.run(
        [sys.executable, *given, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["-O", "-B", "-Werror::UserWarning", "-X", "utf8=1"]
    assert isinstance(interpreter_options(), list)


#: Prints this interpreter's flags, and those that its options give to another one.
_FLAGS = """
import subprocess, sys
sys.path[:] = sys.argv[1:]
from sk_supervisor._processes.spawn import interpreter_options
print(sys.flags, flush=True)
subprocess.run([sys.executable, *interpreter_options(), "-c", "import sys; print(sys.flags)"])
"""


@pytest.mark.parametrize(
    "given", ["-I", "-E", "-s", "-S", "-b", "-bb", "-OO", "-B", "-Xdev", "-IS", "-Es", "-IbO"]
)
def test_every_flag_that_changes_what_a_node_does_is_the_workers_too(given: str) -> None:
    done = subprocess.run(
        [sys.executable, given, "-c", _FLAGS, *filter(None, sys.path)],
        capture_output=True,
        text=True,
        check=True,
    )
    mine, theirs = done.stdout.splitlines()
    assert mine == theirs


def test_of_a_node_that_raised_a_worker_prints_the_nodes_own_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = NodeFailedError("parse", "ValueError", 4)
    error.__cause__ = ValueError("not a number")
    print_failure(error)
    assert capsys.readouterr().err.splitlines() == [
        "ValueError: not a number",
        "NodeFailedError: node 'parse' raised ValueError on record 4",
    ]


def test_of_a_payload_that_cannot_be_sent_a_worker_prints_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What was called is none of whoever's payload it is."""
    for fault in (
        NodeOutputError("parse", "A with x: str", "x: int", 4),
        RecordTooLargeError("parse", 4, 20, 10),
    ):
        try:
            raise fault
        except RunError as error:
            print_failure(error)
        assert capsys.readouterr().err.splitlines() == [f"{type(fault).__name__}: {fault}"]
