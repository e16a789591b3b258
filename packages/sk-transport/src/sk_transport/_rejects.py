"""Counting what was refused, by category."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sk_transport.errors import TransportError


class RejectCounts:
    """How often each category of error refused a frame or a peer. Thread-safe.

    :param on_reject: called with the category of each, from the thread that refuses.
    """

    def __init__(self, on_reject: Callable[[str], None] | None = None) -> None:
        self._on_reject = on_reject
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def add(self, error: TransportError) -> None:
        """Count one refusal under the error's category."""
        with self._lock:
            self._counts[error.category] = self._counts.get(error.category, 0) + 1
        if self._on_reject is not None:
            self._on_reject(error.category)

    def snapshot(self) -> dict[str, int]:
        """Return a copy of the counts, in order of first occurrence."""
        with self._lock:
            return dict(self._counts)
