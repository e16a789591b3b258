"""What waits to be sent on a stream."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator


class Outbox:
    """An unbounded queue between those who send and the one thread that gRPC reads it from.

    `close` ends the iteration behind what is queued already; `finished` is set when the reading
    side is done with it.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.finished = threading.Event()

    def put(self, raw: bytes) -> None:
        """Queue one message."""
        self._queue.put(raw)

    def close(self) -> None:
        """Say that nothing follows; may be said often."""
        self._queue.put(None)

    def first(self, timeout_seconds: float) -> bytes | None:
        """Wait for one message; raises `queue.Empty` when none came in time. None when closed."""
        return self._queue.get(timeout=timeout_seconds)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from iter(self._queue.get, None)
        finally:
            self.finished.set()
