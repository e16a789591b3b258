"""The application that ``check_supervisor`` has a supervisor run: numbers in, squares out.

``numbers`` emits 1, 2, 3, ...; ``square_of`` squares each; ``squares`` counts and adds up its input
and notes what is out of order. Workers import it like any application.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from msgspec import Struct

from sk_kernel._declare.decorators import node, sink, source

_CHUNK = 100


class Number(Struct, frozen=True):
    """The payload of the source."""

    n: int


class Square(Struct, frozen=True):
    """The payload of the sink."""

    n: int


class NumbersSettings(Struct, forbid_unknown_fields=True):
    """How many numbers; 0 for no end."""

    count: int = 0


@source()
class Numbers:
    """1, 2, 3, ... to ``count``, or until it is interrupted."""

    def __init__(self, settings: NumbersSettings) -> None:
        self._count, self._next = settings.count, 1
        self._interrupted = threading.Event()

    def read(self, max_records: int, max_bytes: int) -> Sequence[Number]:
        """Return the next numbers, at most 100."""
        if self._interrupted.is_set():
            return ()
        end = self._next + min(max_records, _CHUNK)
        end = min(end, self._count + 1) if self._count else end
        first, self._next = self._next, max(end, self._next)
        return [Number(n) for n in range(first, end)]

    def interrupt(self) -> None:
        """Make further reads return nothing."""
        self._interrupted.set()


class SquareSettings(Struct, forbid_unknown_fields=True):
    """The number on which ``square_of`` raises; 0 for none."""

    fails_at: int = 0


@node
class SquareOf:
    """The square of each number."""

    def __init__(self, settings: SquareSettings) -> None:
        self._fails_at = settings.fails_at

    def __call__(self, number: Number) -> Square:
        """Square it."""
        if number.n == self._fails_at:
            raise ValueError("told to fail")
        return Square(number.n * number.n)


@sink()
class Squares:
    """Counts its input; keeps no record and writes nothing."""

    def __init__(self) -> None:
        self._received = self._total = self._disordered = self._last = 0

    def write(self, chunk: list[Square]) -> None:
        """Count a batch."""
        for square in chunk:
            self._disordered += square.n < self._last
            self._last = square.n
            self._total += square.n
        self._received += len(chunk)

    def summary(self) -> dict[str, int]:
        """Return how many squares, their sum, and how many of them came after a larger one."""
        return {
            "received": self._received,
            "total": self._total,
            "disordered": self._disordered,
        }
