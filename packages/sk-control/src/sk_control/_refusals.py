"""Refusals of received messages, and their counts."""

from __future__ import annotations

import threading
from typing import TypeAlias

from sk_control._codes import RefusalCategory
from sk_control.errors import ControlProtocolError, MessageRefusedError

Refusal: TypeAlias = MessageRefusedError | ControlProtocolError
"""The error for which a received message is dropped: it is not valid, or it is out of order."""


def category_of(refusal: Refusal) -> RefusalCategory:
    """Return the category under which a refusal is counted."""
    if isinstance(refusal, ControlProtocolError):
        return RefusalCategory.PROTOCOL
    return refusal.category


class RefusalCounter:
    """Counts refusals by category. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(RefusalCategory, 0)

    def add(self, category: RefusalCategory) -> None:
        """Count one refusal."""
        with self._lock:
            self._counts[category] += 1

    def snapshot(self) -> dict[str, int]:
        """Return the count so far of every category, including zeros."""
        with self._lock:
            return {category.value: count for category, count in self._counts.items()}
