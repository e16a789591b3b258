"""A thread that does, once and after a while, what a signal handler may only ask for."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable

from sk_supervisor._lives.stop_requests import StopRequests
from sk_supervisor._system.threads import as_here, begin

#: How long ``stop`` may take when the end has come without it.
_END_SECONDS = 1.0


class StopThread:
    """Calls ``stop`` once, in a thread of its own, when it runs and was asked.

    It has the context variables of the thread that starts it: a source is interrupted in it.

    :param delay_seconds: how long after the request; what was asked before it runs, or by force, is
        done at once.
    """

    def __init__(self, stop: Callable[[], None], delay_seconds: float = 0.0) -> None:
        self._stop, self._delay = stop, delay_seconds
        self.requests = StopRequests()
        self._asked: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to wait, also for what was asked before.

        :raises OSError: when the system has no thread to give.
        """
        if self.requests.reasons:
            self._delay = 0.0
        thread = threading.Thread(target=as_here(), args=(self._wait,), name="stop", daemon=True)
        begin(thread)
        self._thread = thread

    def request(self, reason: str, *, force: bool) -> None:
        """Ask for the stop; asked again, that changes nothing. Safe in a signal handler.

        :param force: do not wait for the delay, or for the rest of it.
        """
        if self.requests.take(reason, force=force):
            self._asked.put(True)

    def close(self) -> None:
        """Let the thread end; one that is held up in ``stop`` is left behind after a second."""
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
                    return  # it has ended meanwhile
        self._stop()
