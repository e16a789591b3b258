"""An exporter that never blocks its caller: a bounded queue, and a thread that sends."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sk_observability._exporting.account import Account
from sk_observability._exporting.reasons import CLOSED, QUEUE_FULL, SHUTDOWN_TIMEOUT, failure_of
from sk_observability._exporting.sender import QueueLimits, Sender
from sk_observability._exporting.threads import start_thread
from sk_observability.errors import ExportFailedError

T = TypeVar("T")


class QueuedExporter(Generic[T]):
    """A `DeferredExporter` that passes batches to a sender, one after the other.

    `make` makes the sender, in the sending thread, before the first batch is sent. If `make` or the
    sender raises, the batch is counted as lost; for the next batch both are tried again.
    """

    def __init__(self, name: str, make: Callable[[], Sender[T]], limits: QueueLimits) -> None:
        self.account = Account()
        self._make, self._limits = make, limits
        self._sender: Sender[T] | None = None
        self._held: deque[T] = deque()
        self._sending = 0
        self._finish_by: float | None = None
        self._latest = math.inf
        self._given_up = False
        self._changed = threading.Condition()
        self._name = name
        self._thread: threading.Thread | None = None

    def export(self, items: Sequence[T]) -> None:
        """Queue the items that there is room for; the others are counted as lost. Never waits.

        :raises RuntimeError: if no thread can be started; no item is taken then.
        """
        with self._changed:
            if self._finish_by is not None:
                self.account.lost(len(items), CLOSED)
                return
            # Before anything is counted: if this raises, the caller counts the items.
            if self._thread is None and items:
                self._thread = start_thread(self._name, self._run)
            before = len(self._held)
            self._held.extend(self._fitting(items))
            if before < self._limits.max_batch_size and (not before or self._batch_is_full()):
                self._changed.notify_all()

    def _fitting(self, items: Sequence[T]) -> Sequence[T]:
        held, limits = len(self._held), self._limits
        room = max(0, limits.max_queue_size - held - self._sending)
        excess = len(items) - room
        if excess <= 0:
            return items
        self.account.lost(excess, QUEUE_FULL)
        if not limits.newest_wins:
            return items[:room]
        oldest = min(excess, held)
        for _ in range(oldest):
            self._held.popleft()
        return items[excess - oldest :]

    def close_within(self, seconds: float) -> None:
        """Take at most this long, from now on, to finish and close, whatever the limits say."""
        with self._changed:
            self._latest = min(self._latest, time.monotonic() + seconds)

    def finish(self) -> None:
        """Begin to send the queued items, and return without waiting."""
        with self._changed:
            if self._finish_by is None:
                self._finish_by = time.monotonic() + self._limits.close_seconds
                self._changed.notify_all()
        if self._sender is not None:
            self._sender.finish()

    def close(self) -> None:
        """Wait until the queued items are sent or the time for it is over; the others are lost."""
        self.finish()
        if self._thread is None:
            return
        with self._changed:
            try:
                self._changed.wait_for(self._is_empty, self._seconds_left())
            finally:  # also if an interrupt ends the wait
                self._given_up = True
                self.account.lost(len(self._held) + self._sending, SHUTDOWN_TIMEOUT)
                self._held.clear()
            stuck = self._sending
            self._changed.notify_all()
        if stuck and self._sender is not None:
            self._sender.abort()
        # All that is left for the thread is to close its connections.
        self._thread.join(self._seconds_left())

    def _run(self) -> None:
        while batch := self._next_batch():
            failure = self._failure_of(batch)
            with self._changed:
                self._sending = 0
                if self._given_up:
                    break
                done = len(batch) if failure is None else failure.exported
                self.account.sent(done)
                if failure is not None:
                    self.account.lost(len(batch) - done, failure.reason)
                self._changed.notify_all()
        if self._sender is not None:
            failure_of(self._sender.close)

    def _next_batch(self) -> list[T]:
        """Wait for a batch to send; it is empty if no more items will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._held or self._finish_by is not None)
            self._changed.wait_for(
                lambda: self._finish_by is not None or self._batch_is_full(),
                self._limits.delay_seconds,
            )
            self._sending = min(len(self._held), self._limits.max_batch_size)
            return [self._held.popleft() for _ in range(self._sending)]

    def _failure_of(self, batch: list[T]) -> ExportFailedError | None:
        def send() -> None:
            if self._sender is None:
                self._sender = self._make()
                if self._finish_by is not None:
                    self._sender.finish()
            if not self._given_up:
                self._sender.send(batch)

        failure = failure_of(send)
        if failure is None:
            return None
        return ExportFailedError(failure.reason, min(max(failure.exported, 0), len(batch)))

    def _batch_is_full(self) -> bool:
        return len(self._held) >= self._limits.max_batch_size

    def _is_empty(self) -> bool:
        return not self._held and not self._sending

    def _seconds_left(self) -> float:
        return max(0.0, min(self._finish_by or 0.0, self._latest) - time.monotonic())
