"""The thread that sends a worker's heartbeats and progress while its main thread works."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from sk_control import (
    ControlClosedError,
    ControlConnectionError,
    ControlMessage,
    Heartbeat,
    Metering,
    SpanCounts,
)
from sk_control import Progress as ProgressMessage
from sk_kernel import Progress

from sk_supervisor._system.threads import begin, begun

#: Progress is reported this often, apart from heartbeats.
PROGRESS_SECONDS = 1.0


class Pulse:
    """Sends a heartbeat every ``heartbeat_seconds``, and progress every ``progress_seconds``.

    :param progress: returns the worker's progress.
    :param waiting: returns the number of items of work that are not finished.
    :param metering: returns the measurements of the work.
    :param spans: returns the counts of spans; None if the run is not traced.
    :param clock: the time in seconds.
    :param wait: waits for so many seconds; True if the thread is to end. By default it waits for
        :meth:`stop`.
    :param position: returns where the work stands; if it raises, progress is sent without it.
    :param broke: called with an error that prevents reports, except the end of the session.
    """

    def __init__(
        self,
        send: Callable[[ControlMessage], None],
        *,
        progress: Callable[[], Progress],
        waiting: Callable[[], int],
        heartbeat_seconds: float,
        progress_seconds: float = PROGRESS_SECONDS,
        metering: Callable[[], Metering | None] = lambda: None,
        spans: Callable[[], SpanCounts] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], bool] | None = None,
        position: Callable[[], str] = str,
        broke: Callable[[Exception], object] = lambda _: None,
    ) -> None:
        self._broke = broke
        self._metering, self._spans, self._position = metering, spans, position
        self._send, self._progress, self._waiting = send, progress, waiting
        self._heartbeat, self._report = heartbeat_seconds, progress_seconds
        self._stopped = threading.Event()
        self._clock, self._wait = clock, wait or self._stopped.wait
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def start(self) -> None:
        """Start the thread.

        :raises OSError: when the system cannot start a thread.
        """
        begin(self._thread)

    def stop(self) -> None:
        """Send nothing more, and end the thread."""
        self._stopped.set()
        if begun(self._thread):
            self._thread.join()

    def _beat(self) -> None:
        began = self._clock()
        beat, report = began + self._heartbeat, began + self._report
        while not self._wait(max(0.0, min(beat, report) - self._clock())):
            now = self._clock()
            try:
                if now >= beat:
                    beat = now + self._heartbeat
                    self._send(Heartbeat())
                if now >= report:
                    report = now + self._report
                    self._send(self._said())
                    if self._spans is not None:
                        self._send(self._spans())
            except (ControlConnectionError, ControlClosedError):
                return  # the session is over; its loss ends the worker elsewhere
            except Exception as error:  # noqa: BLE001 - the main thread handles it
                self._broke(error)
                report = math.inf  # heartbeats go on until the main thread has handled it

    def _said(self) -> ProgressMessage:
        done = self._progress()
        return progress_message(done, self._waiting(), self._metering(), self._where())

    def _where(self) -> str:
        try:
            return self._position()
        except Exception:  # noqa: BLE001 - it inspects a running thread; errors must end no work
            return ""


def progress_message(
    done: Progress, waiting: int = 0, metering: Metering | None = None, position: str = ""
) -> ProgressMessage:
    """The message that reports a worker's progress."""
    return ProgressMessage(
        done.records_in,
        done.records_out,
        done.batches,
        done.state,
        position,
        waiting=waiting,
        dead_lettered=done.dead_lettered,
        skipped=done.skipped,
        requests=done.requests,
        metering=metering,
        source_records=done.source_records,
    )
