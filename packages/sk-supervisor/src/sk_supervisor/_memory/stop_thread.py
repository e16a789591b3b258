"""A thread that performs a stop, once and after a delay, on the request of a signal handler."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable

from sk_supervisor._lives.stop_requests import StopRequests
from sk_supervisor._system.threads import as_here, begin

#: How long ``stop`` may still take when the run has ended.
_END_SECONDS = 1.0


class StopThread:
    """A thread that calls ``stop`` once, when it has been started and a stop was requested.

    It runs with the context variables of the thread that starts it, as ``stop`` interrupts the
    source.

    :param delay_seconds: how long after the request; none if it was made before the start, or by
        force.
    """

    def __init__(self, stop: Callable[[], None], delay_seconds: float = 0.0) -> None:
        self._stop, self._delay = stop, delay_seconds
        self.requests = StopRequests()
        #: True for each request that counts; False at the end.
        self._asked: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; a request that was made before takes effect at once.

        :raises OSError: when the system cannot start a thread.
        """
        if self.requests.reasons:
            self._delay = 0.0
        thread = threading.Thread(target=as_here(), args=(self._wait,), name="stop", daemon=True)
        begin(thread)
        self._thread = thread

    def request(self, reason: str, *, force: bool) -> None:
        """Request the stop; only the first request and the first forced one count.

        Safe in a signal handler.

        :param force: do not wait for the delay, or for the rest of it.
        """
        if self.requests.take(reason, force=force):
            self._asked.put(True)

    def close(self) -> None:
        """End the thread; if it is blocked in ``stop``, abandon it after a second."""
        if self._thread is not None:
            self._asked.put(False)
            self._thread.join(_END_SECONDS)
            self._thread = None

    def _wait(self) -> None:
        if not self._asked.get():
            return
        if self._delay > 0 and not self.requests.forced:
            with contextlib.suppress(queue.Empty):
                if not self._asked.get(timeout=self._delay):
                    return  # closed meanwhile
        self._stop()
