"""The streams whose hello has not arrived yet."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

Stream = TypeVar("Stream", bound=Hashable)


class WaitingRoom(Generic[Stream]):
    """Holds up to `size` streams whose hello has not arrived; one more drops the oldest.

    So a flood of silent streams cannot keep out valid workers, which send their hello at once.
    Thread-safe.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._waiting: dict[Stream, None] = {}

    def enter(self, stream: Stream) -> Stream | None:
        """Add a stream; return the stream that was dropped for it, if any."""
        with self._lock:
            oldest = None
            if len(self._waiting) >= self._size:
                oldest = next(iter(self._waiting))
                del self._waiting[oldest]
            self._waiting[stream] = None
            return oldest

    def leave(self, stream: Stream) -> bool:
        """Remove a stream; return True to the first caller, False later or if it was dropped."""
        with self._lock:
            if stream not in self._waiting:
                return False
            del self._waiting[stream]
            return True
