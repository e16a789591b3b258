"""The threads that serve the streams of a server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent import futures
from typing import Any


class StreamThreads(futures.Executor):
    """An executor that runs each call in a new daemon thread, and can join them all.

    A stream lives as long as its worker, so a pool would only be one more limit besides gRPC's own.
    The threads of `ThreadPoolExecutor` are not daemon threads: a process that ends without closing
    its server would wait for them forever.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def start(self, call: Callable[..., object], *args: Any) -> None:
        """Run a call in a new thread; its exceptions go to `threading.excepthook`."""
        thread = threading.Thread(target=call, args=args, name=self._name, daemon=True)
        with self._lock:
            # Threads are removed here, as a thread is still alive while it could remove itself.
            self._threads = {running for running in self._threads if running.is_alive()}
            thread.start()
            self._threads.add(thread)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
        """Run a call in a new thread and return its future; gRPC calls this.

        If the system cannot start a thread, the returned future has failed. An exception raised
        here would end the one thread with which gRPC serves, and stopping the server would hang.
        """
        future: futures.Future[Any] = futures.Future()

        def run() -> None:
            future.set_running_or_notify_cancel()
            try:
                result = fn(*args, **kwargs)
            except BaseException as fault:  # noqa: BLE001 - an executor passes on every exception
                future.set_exception(fault)
            else:
                future.set_result(result)

        try:
            self.start(run)
        except RuntimeError as fault:
            future.set_exception(fault)
        return future

    def join(self, timeout_seconds: float) -> None:
        """Wait for all threads except the calling one, at most `timeout_seconds` in total."""
        deadline = time.monotonic() + timeout_seconds
        with self._lock:
            threads = self._threads - {threading.current_thread()}
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
