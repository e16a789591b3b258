"""A small application over three groups, one node of which fails when it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
from sk_kernel import node, sink, source


class Number(msgspec.Struct, frozen=True):
    """What is read."""

    n: int


class Line(msgspec.Struct, frozen=True):
    """What is written."""

    text: str


@source()
def counting() -> Iterator[Number]:
    """Give 1 to 5 000."""
    yield from map(Number, range(1, 5_001))


class CheckSettings(msgspec.Struct, forbid_unknown_fields=True):
    """When to fail."""

    fails_at: int = 0


@node
class Check:
    """Pass numbers on, or fail."""

    def __init__(self, settings: CheckSettings) -> None:
        self._settings = settings

    def __call__(self, number: Number) -> Line:
        """Turn a number into a line."""
        if number.n == self._settings.fails_at:
            raise ValueError(f"the application's own words about {number.n}")
        return Line(str(number.n))


class LinesSettings(msgspec.Struct, forbid_unknown_fields=True):
    """Where to."""

    path: str


@sink()
class Lines:
    """Write lines to a file, put in place at the end."""

    def __init__(self, settings: LinesSettings) -> None:
        self._path = Path(settings.path)
        self._lines: list[str] = []

    def open(self) -> None:
        """Nothing to acquire."""

    def write(self, lines: list[Line]) -> None:
        """Keep them."""
        self._lines += [line.text for line in lines]

    def commit(self) -> None:
        """Write the file."""
        self._path.write_text("\n".join(self._lines))

    def abort(self) -> None:
        """Leave the target alone."""

    def partial_outputs(self) -> tuple[str, ...]:
        """There are none."""
        return ()

    def summary(self) -> dict[str, int]:
        """How many."""
        return {"lines": len(self._lines)}
