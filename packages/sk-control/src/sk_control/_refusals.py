"""Counting what was refused."""

from __future__ import annotations

import threading

from sk_control._codes import ProtocolCode, RefusalCategory, RefusalCode
from sk_control.errors import ControlProtocolError, MessageRefusedError


def category_of(fault: MessageRefusedError | ControlProtocolError) -> RefusalCategory:
    """What a refusal is counted under."""
    if isinstance(fault, ControlProtocolError):
        return RefusalCategory.PROTOCOL
    return fault.category


def code_of(fault: MessageRefusedError | ControlProtocolError) -> RefusalCode | ProtocolCode:
    """The stable code of a refusal."""
    return fault.code


class RefusalCounter:
    """Refusals by category; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(RefusalCategory, 0)

    def add(self, category: RefusalCategory) -> None:
        """Count one."""
        with self._lock:
            self._counts[category] += 1

    def snapshot(self) -> dict[str, int]:
        """Every category with its count so far, zeros too."""
        with self._lock:
            return {category.value: count for category, count in self._counts.items()}
