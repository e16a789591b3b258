"""Numbers priced by a table: services with settings, for nodes of two groups and for a sink.

Each check and each making of a service adds a line to the file that its settings name as ``log``.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from sk_kernel import CheckError, node, service, sink, source


class Number(msgspec.Struct, frozen=True):
    n: int


class Priced(msgspec.Struct, frozen=True):
    n: int
    cents: int


class Line(msgspec.Struct, frozen=True):
    text: str


class TableSettings(msgspec.Struct, frozen=True):
    path: str
    log: str
    tries: int = 1


class ScaleSettings(msgspec.Struct, frozen=True):
    factor: int = 1


class NotesSettings(msgspec.Struct, frozen=True):
    path: str


class Prices(ABC):
    @abstractmethod
    def of(self, n: int) -> int: ...


def note(settings: TableSettings, what: str) -> None:
    with Path(settings.log).open("a") as log:
        log.write(f"{what} {os.getpid()}\n")


@service(name="prices", provides=[Prices])
class PriceTable(Prices):
    def __init__(self, settings: TableSettings) -> None:
        note(settings, "made")
        self._cents = msgspec.json.decode(Path(settings.path).read_bytes(), type=list[int])

    @classmethod
    def check(cls, settings: TableSettings) -> None:
        note(settings, "checked")
        if not Path(settings.path).is_file():
            raise CheckError("path", f"there is no file {settings.path!r}")

    def of(self, n: int) -> int:
        return self._cents[n % len(self._cents)]


@service
class Scale:
    """Asks for another service, by what that provides."""

    def __init__(self, settings: ScaleSettings, prices: Prices) -> None:
        self._factor, self._prices = settings.factor, prices

    def of(self, n: int) -> int:
        return self._factor * self._prices.of(n)


@service
class Notes:
    """What a sink writes to besides its path."""

    def __init__(self, settings: NotesSettings) -> None:
        self._path = Path(settings.path)

    def add(self, line: str) -> None:
        with self._path.open("a") as notes:
            notes.write(f"{line}\n")


class Numbers(msgspec.Struct):
    count: int = 20


@source()
def numbers(settings: Numbers) -> Iterator[Number]:
    yield from map(Number, range(settings.count))


class Unpriced(msgspec.Struct):
    fails_at: int = -1


@node
def price(number: Number, prices: Prices, settings: Unpriced) -> Priced:
    if number.n == settings.fails_at:
        raise ValueError("has no price")
    return Priced(number.n, prices.of(number.n))


@node
def scaled(priced: Priced, scale: Scale) -> Line:
    return Line(f"{priced.n} {priced.cents} {scale.of(priced.n)}")


class Target(msgspec.Struct):
    path: str


@sink
class Lines:
    def __init__(self, settings: Target, notes: Notes) -> None:
        self._path, self._notes = Path(settings.path), notes
        self._lines: list[str] = []

    def write(self, lines: Sequence[Line]) -> None:
        self._lines += [f"{line.text}\n" for line in lines]

    def commit(self) -> None:
        self._path.write_text("".join(self._lines))
        self._notes.add(f"{len(self._lines)} lines")

    def abort(self) -> None: ...
