"""A number to a file; a sink and services whose ``close`` never returns."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from sk_kernel import node, service, sink, source


class Number(msgspec.Struct, frozen=True):
    n: int


class Target(msgspec.Struct, forbid_unknown_fields=True):
    path: str


class Row(msgspec.Struct, frozen=True):
    n: int


@service
class Patient:
    def close(self) -> None:
        threading.Event().wait()


@service
class Persistent:
    """Tries to end well, whatever keeps it from that."""

    def close(self) -> None:
        while True:
            with contextlib.suppress(Exception):
                threading.Event().wait()


@service
class Awaiting:
    async def close(self) -> None:
        await asyncio.Event().wait()


@source
def numbers() -> Iterator[Number]:
    yield Number(1)


@node
def passed(number: Number, a: Patient, b: Persistent, c: Awaiting) -> Row:
    return Row(number.n)


@sink
class Draft:
    def __init__(self, settings: Target) -> None:
        self._path, self._rows = Path(settings.path), 0

    def write(self, rows: Sequence[Row]) -> None:
        self._rows += len(rows)

    def commit(self) -> None:
        self._path.write_text(f"{self._rows} rows\n")

    def abort(self) -> None: ...

    def close(self) -> None:
        threading.Event().wait()
