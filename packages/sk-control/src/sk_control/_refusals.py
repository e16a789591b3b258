"""What a refusal is, and counting refusals."""

from __future__ import annotations

import threading
from typing import TypeAlias

from sk_control._codes import RefusalCategory
from sk_control.errors import ControlProtocolError, MessageRefusedError

Refusal: TypeAlias = MessageRefusedError | ControlProtocolError
"""Why a received message is dropped: it is not to be believed, or it is out of order."""


def category_of(refusal: Refusal) -> RefusalCategory:
    """What a refusal is counted under."""
    if isinstance(refusal, ControlProtocolError):
        return RefusalCategory.PROTOCOL
    return refusal.category


class RefusalCounter:
    """How many messages were refused, by category. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(RefusalCategory, 0)

    def add(self, category: RefusalCategory) -> None:
        """Count one refusal."""
        with self._lock:
            self._counts[category] += 1

    def snapshot(self) -> dict[str, int]:
        """Every category with its count so far, zeros too."""
        with self._lock:
            return {category.value: count for category, count in self._counts.items()}
