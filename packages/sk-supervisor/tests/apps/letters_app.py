"""An application whose nodes raise on the numbers that their settings name.

``figures`` reads a number from each line of a file; ``weigh`` passes it on, ``split`` makes two
parts of it, ``count`` counts the parts by their figure's last digit, ``render`` makes a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from sk_kernel import Context, node, sink, source, state
from supervised_deeds import tell


class Figure(msgspec.Struct, frozen=True):
    n: int
    text: str = ""


class Weighed(msgspec.Struct, frozen=True):
    n: int


class Part(msgspec.Struct, frozen=True):
    n: int
    side: str
    digit: int


class Counted(msgspec.Struct, frozen=True):
    n: int
    side: str
    count: int


class Row(msgspec.Struct, frozen=True):
    text: str


class Bad(msgspec.Struct, forbid_unknown_fields=True):
    on: tuple[int, ...] = ()
    hold: int = 0
    """The number to wait for the test at."""
    ears: int = 0


class FiguresSettings(msgspec.Struct, forbid_unknown_fields=True):
    path: str


def _look(n: int, settings: Bad) -> None:
    if n == settings.hold:
        tell(settings.ears, "here", wait=True)
    if n in settings.on:
        raise ValueError(f"payload {n} is secret")


@source()
def figures(settings: FiguresSettings) -> Iterator[Figure]:
    with Path(settings.path).open() as lines:
        for line in lines:
            yield Figure(int(line))


@node
def weigh(figure: Figure, settings: Bad) -> Weighed:
    _look(figure.n, settings)
    return Weighed(figure.n)


@node
async def split(weighed: Weighed, settings: Bad) -> list[Part]:
    _look(weighed.n, settings)
    return [Part(weighed.n, side, weighed.n % 10) for side in ("left", "right")]


@state(key="digit")
class Counts(dict[int, int]):
    """Parts by last digit."""


@node
def count(part: Part, counts: Counts, settings: Bad) -> Counted:
    counts[part.digit] = counts.get(part.digit, 0) + 1
    if part.side == "right":
        _look(part.n, settings)
    return Counted(part.n, part.side, counts[part.digit])


@node
def render(counted: Counted, context: Context, settings: Bad) -> Row:
    _look(counted.n, settings)
    return Row(f"{context.sequence} {counted.n} {counted.side} {counted.count}")


class RowsSettings(msgspec.Struct, forbid_unknown_fields=True):
    path: str


@sink()
class Rows:
    def __init__(self, settings: RowsSettings) -> None:
        self._target = Path(settings.path)
        self._partial = self._target.with_suffix(".partial")
        self._rows = 0

    def open(self) -> None:
        self._file = self._partial.open("w")

    def write(self, rows: Sequence[Row]) -> None:
        self._file.writelines(f"{row.text}\n" for row in rows)
        self._rows += len(rows)

    def commit(self) -> None:
        self._file.close()
        self._partial.rename(self._target)

    def abort(self) -> None:
        self._file.close()

    def partial_outputs(self) -> tuple[str, ...]:
        return (str(self._partial),)

    def summary(self) -> dict[str, int]:
        return {"rows": self._rows}
