"""The queue of messages to be sent on a stream."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator


class Outbox:
    """An unbounded queue that any thread may put into, and that one thread of gRPC iterates over.

    After `close` the iteration ends once it has returned all messages queued before; then it sets
    `finished`.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.finished = threading.Event()

    def put(self, raw: bytes) -> None:
        """Queue one message."""
        self._queue.put(raw)

    def close(self) -> None:
        """End the iteration after the messages queued so far. Idempotent."""
        self._queue.put(None)

    def first(self, timeout_seconds: float) -> bytes | None:
        """Wait for the first message; return None if the outbox was closed before one was put.

        Raises `queue.Empty` when neither has happened in time.
        """
        return self._queue.get(timeout=timeout_seconds)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from iter(self._queue.get, None)
        finally:
            self.finished.set()
