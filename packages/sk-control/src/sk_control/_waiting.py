"""The streams that have not said hello yet."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

Stream = TypeVar("Stream", bound=Hashable)


class WaitingRoom(Generic[Stream]):
    """Holds the streams that have not said hello, up to `size`; one more drops the oldest.

    So a flood of silent streams keeps no honest worker out, which says hello at once. Thread-safe.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._waiting: dict[Stream, None] = {}

    def enter(self, stream: Stream) -> Stream | None:
        """Let a stream in; return the one that was dropped for it, if any."""
        with self._lock:
            oldest = None
            if len(self._waiting) >= self._size:
                oldest = next(iter(self._waiting))
                del self._waiting[oldest]
            self._waiting[stream] = None
            return oldest

    def leave(self, stream: Stream) -> bool:
        """Let a stream out; True for one caller, False for all later ones or if it was dropped."""
        with self._lock:
            if stream not in self._waiting:
                return False
            del self._waiting[stream]
            return True
