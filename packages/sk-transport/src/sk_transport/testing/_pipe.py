"""A bounded one-way stream of bytes in memory."""

from __future__ import annotations

import threading

from sk_transport._socket import Deadline
from sk_transport._wire import Buffer


class PipeClosedError(Exception):
    """The pipe is closed and cannot be written to. This error does not leave the package."""


class BytePipe:
    """A pipe between threads that holds at most `capacity` bytes, readable after `close` too."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._bytes = bytearray()
        self._closed = False
        self._changed = threading.Condition()

    def write(self, data: Buffer, deadline: Deadline) -> None:
        """Write all of `data`, waiting for space. Raises `DeadlineError` and `PipeClosedError`."""
        rest = memoryview(data)
        with self._changed:
            while True:
                if self._closed:
                    raise PipeClosedError
                room = self._capacity - len(self._bytes)
                self._bytes += rest[:room]
                rest = rest[room:]
                self._changed.notify_all()
                if not rest:
                    return
                self._wait(deadline)

    def read_into(self, target: memoryview, deadline: Deadline) -> int:
        """Move up to `len(target)` bytes into `target`; return how many, 0 at the end of stream.

        Raises `DeadlineError`.
        """
        with self._changed:
            while not self._bytes:
                if self._closed:
                    return 0
                self._wait(deadline)
            count = min(len(target), len(self._bytes))
            target[:count] = self._bytes[:count]
            del self._bytes[:count]
            self._changed.notify_all()
            return count

    def close(self) -> None:
        """Allow no further writes, and wake all waiting threads. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait(self, deadline: Deadline) -> None:
        remaining = deadline.remaining()
        if remaining == 0:
            raise deadline.error()
        self._changed.wait(remaining)
