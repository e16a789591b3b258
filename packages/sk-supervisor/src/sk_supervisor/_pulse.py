"""The thread beside the work that says that this worker lives, and how far it has come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sk_control import ControlError, ControlMessage, Heartbeat
from sk_control import Progress as ProgressMessage
from sk_kernel import Progress

#: Progress is reported this often while it changes.
PROGRESS_SECONDS = 0.5


class Pulse:
    """Sends a heartbeat every ``heartbeat_seconds``, and progress in between."""

    def __init__(
        self,
        send: Callable[[ControlMessage], None],
        progress: Callable[[], Progress],
        heartbeat_seconds: float,
    ) -> None:
        self._send, self._progress = send, progress
        self._interval = heartbeat_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more, and let the thread end."""
        self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        due = time.monotonic() + self._interval
        last: Progress | None = None
        while not self._stopped.wait(min(PROGRESS_SECONDS, max(0.0, due - time.monotonic()))):
            now, current = time.monotonic(), self._progress()
            try:
                if now >= due:
                    due = now + self._interval
                    self._send(Heartbeat(_message(current)))
                elif current != last:
                    self._send(_message(current))
            except ControlError:
                return  # the session is over; losing it ends the worker elsewhere
            last = current


def _message(progress: Progress) -> ProgressMessage:
    return ProgressMessage(
        progress.records_in, progress.records_out, progress.batches, progress.state
    )
