"""What is cut short: a close and an export by an interrupt, a try by the end, a thread by none."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any

import pytest
from sk_kernel import NodeSpan
from sk_observability import (
    Account,
    ExporterCounts,
    ExportFailedError,
    Outlet,
    QueuedExporter,
    QueueLimits,
    SpanFanOut,
)
from sk_observability._otlp.heard import Heard
from sk_observability._otlp.sender import OtlpSender

PATIENCE = 30.0
MakeSpan = Callable[..., NodeSpan]


class ForcedStop(BaseException):
    """As the supervisor raises it in the main thread, at any moment."""


class Interrupted:
    """Sends later, and is interrupted where it is told to be, once."""

    def __init__(self, where: str) -> None:
        self.account, self.closes = Account(), 0
        self._where: str | None = where

    def export(self, items: Sequence[Any]) -> None:
        self._interrupt("export")

    def finish(self) -> None:
        """Nothing is begun."""

    def close(self) -> None:
        self.closes += 1
        self._interrupt("close")

    def _interrupt(self, here: str) -> None:
        if self._where == here:
            self._where = None
            raise ForcedStop


@pytest.mark.contract("P5PRE-OBS-03")
def test_a_close_that_is_interrupted_leaves_no_span_unaccounted_for(span: MakeSpan) -> None:
    exporter, after = Interrupted("close"), Interrupted("nowhere")
    spans = SpanFanOut([Outlet("a", exporter), Outlet("b", after)])
    spans.on_spans([span(n) for n in range(7)])
    with pytest.raises(ForcedStop):
        spans.close()
    assert not spans.account("w").final
    spans.close()
    account = spans.account("w")
    assert (account.created, account.final) == (7, True)
    assert [e.dropped for e in account.exporters] == [{"unaccounted": 7}] * 2
    assert [c.pending for c in spans.counts()] == [0, 0]
    assert (exporter.closes, after.closes) == (1, 1)


CUT_SHORT = """
import signal, threading
from sk_observability import Outlet, QueuedExporter, QueueLimits

closing = threading.Event()

class Hanging:
    def send(self, items):
        closing.wait()
        main = threading.main_thread().ident
        threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT)).start()
        threading.Event().wait()
    def finish(self):
        closing.set()

exporter = QueuedExporter("test", Hanging, QueueLimits(delay_seconds=0.001, close_seconds=3600))
outlet = Outlet("queued", exporter)
outlet.export([1, 2])
try:
    outlet.close()
except KeyboardInterrupt:
    print(outlet.counts.created, outlet.counts.dropped)
"""


@pytest.mark.contract("P5PRE-OBS-03")
def test_a_wait_for_a_receiver_that_is_interrupted_counts_what_it_waited_for_as_lost() -> None:
    """In a process of its own, since an interrupt is for the main thread of one."""
    done = subprocess.run(
        [sys.executable, "-c", CUT_SHORT], capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.stdout, done.stderr) == ("2 {'shutdown_timeout': 2}\n", "")


@pytest.mark.contract("P5PRE-OBS-03")
def test_an_account_with_an_export_that_was_cut_short_is_never_final(
    span: MakeSpan, keeping: Any
) -> None:
    """Else the spans that an exporter behind it was not given were told of as a gap."""
    kept = keeping()
    spans = SpanFanOut([Outlet("a", Interrupted("export")), Outlet("b", kept)])
    with pytest.raises(ForcedStop):
        spans.on_spans([span(1), span(2)])
    spans.on_spans([span(3)])
    spans.close()
    account = spans.account("w")
    assert (account.created, account.exporters[1].exported, account.final) == (3, 1, False)


class Result(Enum):
    SUCCESS = 0


class HungUpOn:
    """OpenTelemetry's exporter by gRPC, where the end comes between a pause and the next try."""

    def __init__(self, heard: Heard, come_to_the_end: Callable[[], None] | None = None) -> None:
        self.shut = False
        self._heard, self._end = heard, come_to_the_end

    def export(self, batch: Any, /) -> Result:
        if self._end is not None:
            self._heard.failed("UNAVAILABLE")
            self._end()
            self._heard.begin()
        if self.shut or self._end is not None:
            raise ValueError("Cannot invoke RPC on closed channel!")
        return Result.SUCCESS

    def shutdown(self) -> None:
        self.shut = True


def test_a_try_on_a_connection_that_the_end_has_hung_up_is_made_once_more() -> None:
    heard = Heard()
    clients: list[HungUpOn] = []

    def connect() -> HungUpOn:
        clients.append(HungUpOn(heard, sender.finish if not clients else None))
        return clients[-1]

    sender: OtlpSender[int] = OtlpSender(connect, heard, list)
    sender.send([1])
    assert [client.shut for client in clients] == [True, False]


def test_whatever_the_library_raises_before_the_end_is_a_failed_export() -> None:
    heard = Heard()
    sender: OtlpSender[int] = OtlpSender(lambda: HungUpOn(heard, lambda: None), heard, list)
    with pytest.raises(ExportFailedError) as caught:
        sender.send([1])
    assert (caught.value.reason, caught.value.exported) == ("ValueError", 0)


def outlet_of(sender: Any) -> Outlet[int]:
    limits = QueueLimits(delay_seconds=PATIENCE, close_seconds=PATIENCE)
    return Outlet("queued", QueuedExporter("test", lambda: sender, limits))


def test_the_thread_that_sends_takes_no_signal_from_the_main_thread(sending: type[Any]) -> None:
    sender = sending()
    outlet = outlet_of(sender)
    outlet.export([1])
    outlet.close()
    assert sender.blocked >= {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@contextmanager
def no_threads() -> Iterator[None]:
    """A machine that gives no further thread: each would need a stack beyond all memory."""
    before = threading.stack_size(1 << 50)
    try:
        yield
    finally:
        threading.stack_size(before)


@pytest.mark.contract("P5PRE-OBS-03")
def test_what_is_exported_where_the_system_gives_no_thread_is_counted_once(
    sending: type[Any],
) -> None:
    sender = sending()
    outlet = outlet_of(sender)
    with no_threads():
        outlet.export([1, 2])
    assert outlet.counts == ExporterCounts("queued", created=2, dropped={"RuntimeError": 2})
    outlet.export([3])
    outlet.close()
    assert sender.batches == [[3]]
    assert outlet.counts == ExporterCounts(
        "queued", created=3, exported=1, dropped={"RuntimeError": 2}
    )
