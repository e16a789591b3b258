"""How a receiver answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver does with each request.

    It waits for `seconds` (with `hangs`, until its answer is changed or it is stopped). Then it
    either rejects the whole request (`refuses`; with `transient`, by a status that allows a retry)
    or accepts it, except for its last `rejects` items.
    """

    seconds: float = 0.0
    hangs: bool = False
    refuses: bool = False
    transient: bool = False
    rejects: int = 0


ACCEPT: Final = Answer()
"""The receiver accepts every request."""

HANG: Final = Answer(hangs=True)
"""The receiver does not answer."""
