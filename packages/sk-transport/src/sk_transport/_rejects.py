"""Counting refusals, by category."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sk_transport.errors import TransportError


class RejectCounts:
    """How many frames and peers were refused, by the category of the error. Thread-safe.

    `on_reject` is called with the category of each refusal, in the thread that refuses.
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
