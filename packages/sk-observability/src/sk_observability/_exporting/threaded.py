"""A wrapper for an exporter that may block or hang in `export`: calls it in a thread of its own."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

import msgspec

from sk_observability._exporting.account import Account
from sk_observability._exporting.exporter import Exporter
from sk_observability._exporting.reasons import (
    CLOSED,
    QUEUE_FULL,
    SHUTDOWN_TIMEOUT,
    STALLED,
    failure_of,
)
from sk_observability._exporting.threads import start_thread
from sk_observability.errors import ExportFailedError

T = TypeVar("T")

_LEAST_SECONDS: Final = 0.05
"""The least time that `close_within` leaves for closing, so that a working exporter can close."""


class ThreadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How many items may wait for the exporter, and how long its caller and the close may wait.

    The caller of `export` waits for room until the exporter has finished no call for
    `stall_seconds`; at 0 it never waits. `close_seconds` bounds the time to export the remaining
    items and to close.
    """

    room: int
    stall_seconds: float = 0.0
    close_seconds: float = 5.0


class ThreadedExporter(Generic[T]):
    """A `DeferredExporter` around an exporter that is none; makes all its calls in one thread.

    If the caller waits for room (`stall_seconds`), a slow exporter loses no item. When the exporter
    hangs, items without room are lost, and no caller waits again until the exporter has finished a
    call.
    """

    def __init__(self, name: str, exporter: Exporter[T], limits: ThreadLimits) -> None:
        self.account = Account()
        self._name, self._exporter, self._limits = name, exporter, limits
        self._held: deque[Sequence[T]] = deque()
        self._size = 0  # items held, and items in the exporter's current call
        self._taken_at = 0.0
        self._stalled = self._given_up = False
        self._finish_by: float | None = None
        self._latest = math.inf
        self._close_failure: str | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def export(self, items: Sequence[T]) -> None:
        """Queue the items, or count them as lost.

        :raises RuntimeError: if no thread can be started; no item is taken then.
        """
        size = len(items)
        with self._changed:
            if size and self._thread is None:
                self._start()
            if refusal := self._refusal(size):
                self.account.lost(size, refusal)
            elif size:
                self._held.append(items)
                self._size += size
                self._changed.notify_all()

    def close_within(self, seconds: float) -> None:
        """Take at most this long, from now on, to finish and close, whatever the limits say."""
        with self._changed:
            self._latest = min(self._latest, time.monotonic() + max(seconds, _LEAST_SECONDS))

    def finish(self) -> None:
        """Have the exporter closed after it has exported the queued items. Does not wait."""
        with self._changed:
            if self._finish_by is None:
                self._finish_by = time.monotonic() + self._limits.close_seconds
                self._changed.notify_all()

    def close(self) -> None:
        """Wait until all items are exported and the exporter is closed, or the time is over.

        :raises ExportFailedError: if the exporter failed to close, or did not close in time.
        :raises RuntimeError: if nothing was exported and no thread can be started.
        """
        self.finish()
        with self._changed:
            if self._thread is None:
                self._start()
            thread = self._thread
            try:
                self._changed.wait_for(lambda: not self._size, self._seconds_left())
            finally:  # also if an interrupt ends the wait
                self._given_up = True
                self.account.lost(self._size, SHUTDOWN_TIMEOUT)
                self._held.clear()
        assert thread is not None  # noqa: S101 - it was just started, if not before
        thread.join(self._seconds_left())
        if failure := SHUTDOWN_TIMEOUT if thread.is_alive() else self._close_failure:
            raise ExportFailedError(failure)

    def _start(self) -> None:
        self._taken_at = time.monotonic()
        self._thread = start_thread(self._name, self._run)

    def _refusal(self, size: int) -> str | None:
        """Wait for room; return None, or the reason why the items are lost."""
        while self._finish_by is None:
            if not self._size or self._size + size <= self._limits.room:
                return None
            left = self._taken_at + self._limits.stall_seconds - time.monotonic()
            self._stalled = self._stalled or left <= 0
            if self._stalled:
                return STALLED if self._limits.stall_seconds else QUEUE_FULL
            self._changed.wait(left)
        return CLOSED

    def _run(self) -> None:
        while (items := self._next()) is not None:
            self._take(items)
        failure = failure_of(self._exporter.close)
        self._close_failure = failure.reason if failure else None

    def _next(self) -> Sequence[T] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._held or self._finish_by is not None)
            return self._held.popleft() if self._held else None

    def _take(self, items: Sequence[T]) -> None:
        call: Callable[[], object] = lambda: self._exporter.export(items)  # noqa: E731
        failure, size = failure_of(call), len(items)
        with self._changed:
            if self._given_up:
                return
            done = size if failure is None else min(max(failure.exported, 0), size)
            self.account.sent(done)
            if failure is not None:
                self.account.lost(size - done, failure.reason)
            self._size -= size
            self._taken_at, self._stalled = time.monotonic(), False
            self._changed.notify_all()

    def _seconds_left(self) -> float:
        return max(0.0, min(self._finish_by or 0.0, self._latest) - time.monotonic())
