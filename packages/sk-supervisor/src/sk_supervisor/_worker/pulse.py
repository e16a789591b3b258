"""The thread beside the work that says that this worker lives, and how far it has come."""

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
    """Sends a heartbeat every ``heartbeat_seconds``, and every second how far the work has come.

    :param waiting: counts the items of work that are at hand and not done with.
    :param metering: gives what has been measured of the work.
    :param spans: gives what has become of the spans, where there are any.
    :param clock: seconds.
    :param wait: waits so many of them; True where the pulse is to end. By default until
        :meth:`stop`.
    :param position: says where the work stands; if it raises, progress is sent without that.
    :param broke: takes what keeps it from reporting, other than the end of the session.
    """

    def __init__(
        self,
        send: Callable[[ControlMessage], None],
        progress: Callable[[], Progress],
        waiting: Callable[[], int],
        heartbeat_seconds: float,
        progress_seconds: float = PROGRESS_SECONDS,
        metering: Callable[[], Metering | None] = lambda: None,
        spans: Callable[[], SpanCounts | None] = lambda: None,
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
        """Begin.

        :raises OSError: when the system has no thread to give.
        """
        begin(self._thread)

    def stop(self) -> None:
        """Send nothing more, and let the thread end."""
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
                    if (spans := self._spans()) is not None:
                        self._send(spans)
            except (ControlConnectionError, ControlClosedError):
                return  # the session is over; losing it ends the worker elsewhere
            except Exception as error:  # noqa: BLE001 - the main thread knows what to make of it
                self._broke(error)
                report = math.inf  # it lives all the same, until it has come to that

    def _said(self) -> ProgressMessage:
        done = self._progress()
        return progress_message(done, self._waiting(), self._metering(), self._where())

    def _where(self) -> str:
        try:
            return self._position()
        except Exception:  # noqa: BLE001 - it looks at a thread that goes on; it must end no work
            return ""


def progress_message(
    done: Progress, waiting: int = 0, metering: Metering | None = None, position: str = ""
) -> ProgressMessage:
    """What a worker says of how far it has come."""
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
