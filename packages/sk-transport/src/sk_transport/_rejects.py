"""Counting rejected frames and peers, by category."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sk_transport.errors import TransportError


class RejectCounts:
    """Counts rejected frames and peers, by the category of the error. Thread-safe.

    `on_reject` is called with the category of each rejection, in the thread that calls `add`.
    """

    def __init__(self, on_reject: Callable[[str], None] | None = None) -> None:
        self._on_reject = on_reject
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def add(self, error: TransportError) -> None:
        """Count one rejection under the error's category."""
        with self._lock:
            self._counts[error.category] = self._counts.get(error.category, 0) + 1
        if self._on_reject is not None:
            self._on_reject(error.category)

    def snapshot(self) -> dict[str, int]:
        """Return a copy of the counts, in the order of their first occurrence."""
        with self._lock:
            return dict(self._counts)
