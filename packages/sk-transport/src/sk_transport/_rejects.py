"""Counting what was refused, by category."""

from __future__ import annotations

import threading

from sk_transport.errors import TransportError


class RejectCounts:
    """How often each category of error refused a frame or a peer. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def add(self, error: TransportError) -> None:
        """Count one refusal under the error's category."""
        with self._lock:
            self._counts[error.category] = self._counts.get(error.category, 0) + 1

    def snapshot(self) -> dict[str, int]:
        """Return a copy of the counts, in order of first occurrence."""
        with self._lock:
            return dict(self._counts)
