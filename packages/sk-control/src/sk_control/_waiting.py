"""The streams that have not said hello yet."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

Stream = TypeVar("Stream", bound=Hashable)


class WaitingRoom(Generic[Stream]):
    """Holds a bounded number of unproven streams; a new one drives out the oldest.

    A flood of silent streams can therefore not keep an honest worker out, which speaks at once.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._waiting: dict[Stream, None] = {}

    def enter(self, stream: Stream) -> Stream | None:
        """Let a stream in; returns the one that has to go for it, if any."""
        with self._lock:
            oldest = None
            if len(self._waiting) >= self._size:
                oldest = next(iter(self._waiting))
                del self._waiting[oldest]
            self._waiting[stream] = None
            return oldest

    def leave(self, stream: Stream) -> bool:
        """Let a stream out; False if it has left already. Of several callers one gets True."""
        with self._lock:
            if stream not in self._waiting:
                return False
            del self._waiting[stream]
            return True
