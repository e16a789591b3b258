"""How a receiver answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver does with each request.

    It waits for `seconds` (or, where `hangs`, until it is told otherwise or stopped), and then
    either refuses it whole (`refuses`; `transient`: as one that may be sent again) or takes it,
    without its last `rejects` items.
    """

    seconds: float = 0.0
    hangs: bool = False
    refuses: bool = False
    transient: bool = False
    rejects: int = 0


ACCEPT: Final = Answer()
"""The receiver takes what it is sent."""

HANG: Final = Answer(hangs=True)
"""The receiver does not answer."""
