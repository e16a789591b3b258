"""An exporter that never holds up who exports: a bounded queue, and a thread that sends."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from sk_observability._account import Account
from sk_observability._outlet import CLOSED, reason_of
from sk_observability.errors import ExportFailedError

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

QUEUE_FULL = "queue_full"
"""The reason under which items are counted that found no room."""
SHUTDOWN_TIMEOUT = "shutdown_timeout"
"""The reason for what had not gone out when the time to close was over, as far as anyone knew."""
_HANDLED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Sender(Protocol[T_contra]):
    """Sends batches, in the thread of a `QueuedExporter`; may take its time."""

    def send(self, items: Sequence[T_contra]) -> None:
        """Send the items, and wait until the receiver has them.

        :raises ExportFailedError: with how many it has, and why it has not the others.
        """

    def finish(self) -> None:
        """The end is near: what fails from now on has failed, without pauses to try again.

        Any thread; returns at once.
        """

    def abort(self) -> None:
        """Have a `send` that is under way end soon, if that can be done. Any thread."""

    def close(self) -> None:
        """Let go of connections, after the last `send`."""


class QueueLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a queue holds, how much is sent at once, and how long anything waits.

    A batch is sent when it is full, or `delay_seconds` after its first item came. `close_seconds`
    is all the time that sending the rest may take at the end. What finds no room is lost; where
    `newest_wins`, it takes the room of the oldest that wait, and those are lost.
    """

    max_queue_size: int = 32_768
    max_batch_size: int = 1024
    delay_seconds: float = 1.0
    close_seconds: float = 5.0
    newest_wins: bool = False


class QueuedExporter(Generic[T]):
    """A `DeferredExporter` that hands batches to a sender, one after the other.

    `make` gives the sender, in the thread that sends, when there is something to send for the first
    time. Whatever it or the sender raises is counted; the next batch is tried again.
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
        """Take the items that there is room for; the others are counted as lost. Never waits.

        :raises RuntimeError: when the system gives no thread; nothing is taken then.
        """
        with self._changed:
            if self._finish_by is not None:
                self.account.lost(len(items), CLOSED)
                return
            # Before anything is counted: who calls counts what this raises on.
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
        """Take no longer than this, from now on, to finish and close, whatever the limits say."""
        with self._changed:
            self._latest = min(self._latest, time.monotonic() + seconds)

    def finish(self) -> None:
        """Begin to send what is held, without waiting for it."""
        with self._changed:
            if self._finish_by is None:
                self._finish_by = time.monotonic() + self._limits.close_seconds
                self._changed.notify_all()
        if self._sender is not None:
            self._sender.finish()

    def close(self) -> None:
        """Wait until what is held is sent or the time for it is over; the rest is lost."""
        self.finish()
        if self._thread is None:
            return
        with self._changed:
            try:
                self._changed.wait_for(self._is_empty, self._seconds_left())
            finally:  # also where an interrupt ends the wait
                self._given_up = True
                self.account.lost(len(self._held) + self._sending, SHUTDOWN_TIMEOUT)
                self._held.clear()
            stuck = self._sending
            self._changed.notify_all()
        if stuck and self._sender is not None:
            self._sender.abort()
        # Of a thread that has nothing left to send, the rest is to let go of its connections.
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
            self._failure_of_call(self._sender.close)

    def _next_batch(self) -> list[T]:
        """Wait for items to send; none when there is nothing more to come."""
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

        failure = self._failure_of_call(send)
        if failure is None:
            return None
        return ExportFailedError(failure.reason, min(max(failure.exported, 0), len(batch)))

    @staticmethod
    def _failure_of_call(call: Callable[[], None]) -> ExportFailedError | None:
        # Isolation is the promise, whatever the sender's library or a user's tracer raises.
        try:
            call()
        except ExportFailedError as error:
            return error
        except Exception as error:  # noqa: BLE001
            return ExportFailedError(reason_of(error))
        return None

    def _batch_is_full(self) -> bool:
        return len(self._held) >= self._limits.max_batch_size

    def _is_empty(self) -> bool:
        return not self._held and not self._sending

    def _seconds_left(self) -> float:
        return max(0.0, min(self._finish_by or 0.0, self._latest) - time.monotonic())


def start_thread(name: str, run: Callable[[], None]) -> threading.Thread:
    """Start a thread that exports; another one each time.

    :raises RuntimeError: when the system gives none.
    """

    def begin() -> None:
        # The main thread alone runs handlers, and may be deep in a system call: a signal that this
        # thread took would not wake it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        run()

    # A daemon: a receiver that hangs must not keep the process from its end.
    thread = threading.Thread(target=begin, name=f"export {name}", daemon=True)
    thread.start()
    return thread
