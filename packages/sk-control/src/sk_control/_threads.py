"""Threads for the streams of a server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent import futures
from typing import Any


class StreamThreads(futures.Executor):
    """Runs each call on a daemon thread of its own, and can join them all.

    A stream lives as long as its worker, so a pool would only be one more limit beside gRPC's own.
    The threads of `ThreadPoolExecutor` are no daemons: a process that ends without closing its
    server would hang in them.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def start(self, call: Callable[..., object], *args: Any) -> None:
        """Run a call; what it raises goes to `threading.excepthook`."""
        thread = threading.Thread(target=call, args=args, name=self._name, daemon=True)
        with self._lock:
            # A thread cannot take itself off: it is alive until after its last line.
            self._threads = {running for running in self._threads if running.is_alive()}
            thread.start()
            self._threads.add(thread)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
        """Run a call and return its future, as gRPC asks of an executor.

        Where the system has no thread to give, the future has failed: what was raised here would
        end the one thread by which gRPC serves, and with it the server, whose stop would hang.
        """
        future: futures.Future[Any] = futures.Future()

        def run() -> None:
            future.set_running_or_notify_cancel()
            try:
                result = fn(*args, **kwargs)
            except BaseException as fault:  # noqa: BLE001 - an executor hands over all
                future.set_exception(fault)
            else:
                future.set_result(result)

        try:
            self.start(run)
        except RuntimeError as fault:
            future.set_exception(fault)
        return future

    def join(self, timeout_seconds: float) -> None:
        """Wait for all threads but the calling one to end, for so many seconds together."""
        deadline = time.monotonic() + timeout_seconds
        with self._lock:
            threads = self._threads - {threading.current_thread()}
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
