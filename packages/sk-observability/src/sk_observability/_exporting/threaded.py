"""An exporter of another package that does its work in `export`, in a thread where it may hang."""

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
"""What an exporter that is well has for its end, however little time is left."""


class ThreadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How many items wait for the exporter, and how long anything waits for them to be taken.

    Who exports waits for room until the exporter has taken nothing for `stall_seconds`; at 0, it
    never waits. `close_seconds` is all that passing on the rest and closing may take at the end.
    """

    room: int
    stall_seconds: float = 0.0
    close_seconds: float = 5.0


class ThreadedExporter(Generic[T]):
    """A `DeferredExporter` of one that is none, whose calls are all made in one thread.

    An exporter that is merely slow loses nothing where who exports waits for it. Of one that hangs,
    what finds no room is lost; nobody waits for it again until it has taken something.
    """

    def __init__(self, name: str, exporter: Exporter[T], limits: ThreadLimits) -> None:
        self.account = Account()
        self._name, self._exporter, self._limits = name, exporter, limits
        self._held: deque[Sequence[T]] = deque()
        self._size = 0  # of what is held, and of what the exporter is at
        self._taken_at = 0.0
        self._stalled = self._given_up = False
        self._finish_by: float | None = None
        self._latest = math.inf
        self._close_failure: str | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def export(self, items: Sequence[T]) -> None:
        """Take the items, or count them as lost.

        :raises RuntimeError: when the system gives no thread; nothing is taken then.
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
        """Take no longer than this, from now on, to finish and close, whatever the limits say."""
        with self._changed:
            self._latest = min(self._latest, time.monotonic() + max(seconds, _LEAST_SECONDS))

    def finish(self) -> None:
        """Have the exporter closed behind what is held, without waiting for it."""
        with self._changed:
            if self._finish_by is None:
                self._finish_by = time.monotonic() + self._limits.close_seconds
                self._changed.notify_all()

    def close(self) -> None:
        """Wait until all is passed on and the exporter closed, or the time for it is over.

        :raises ExportFailedError: when it has not closed, or not in time.
        :raises RuntimeError: when nothing was exported, and the system gives no thread.
        """
        self.finish()
        with self._changed:
            if self._thread is None:
                self._start()
            thread = self._thread
            try:
                self._changed.wait_for(lambda: not self._size, self._seconds_left())
            finally:  # also where an interrupt ends the wait
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
        """Wait for room; why there is none."""
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
