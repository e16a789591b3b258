"""An application that sets context variables, imported and opened, and says what it finds."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path

import msgspec
from sk_kernel import node, sink, source

PLACES: ContextVar[int] = ContextVar("PLACES", default=28)
PLACES.set(6)
IS_OPEN: ContextVar[bool] = ContextVar("IS_OPEN", default=False)


class Seen(msgspec.Struct):
    """What was found so far, by whom."""

    said: list[str] = []


class Further(msgspec.Struct):
    """On its way to the coroutine."""

    said: list[str]


class Reply(msgspec.Struct):
    """What comes out."""

    said: list[str]


class Told(msgspec.Struct):
    """The file that an adapter writes to; and the FIFO that the sink waits before, behind that."""

    path: str
    gate: str = ""


@source(name="found")
class Found:
    """One record, and then nothing until it is interrupted, of which it tells."""

    def __init__(self, settings: Told) -> None:
        self._given, self._path = False, Path(settings.path)
        self._stopped = threading.Event()

    def open(self) -> None:
        IS_OPEN.set(True)

    def read(self, max_records: int, max_bytes: int) -> Sequence[Seen]:
        if self._given:
            self._stopped.wait()
            return ()
        self._given = True
        return [Seen([f"read {PLACES.get()}", f"open {IS_OPEN.get()}"])]

    def interrupt(self) -> None:
        with self._path.open("a") as file:
            file.write(f"interrupt {PLACES.get()}\n")
        self._stopped.set()

    def close(self) -> None:
        with self._path.open("a") as file:
            file.write(f"close {PLACES.get()}\n")


@node
def plain(seen: Seen) -> Further:
    return Further([*seen.said, f"plain {PLACES.get()}"])


@node
async def awaited(further: Further) -> Reply:
    return Reply([*further.said, f"awaited {PLACES.get()}"])


@sink(name="told")
class Written:
    """Writes down what it gets, at once."""

    def __init__(self, settings: Told) -> None:
        self._path, self._gate = Path(settings.path), Path(settings.gate)

    def write(self, chunk: Sequence[Reply]) -> None:
        self._path.write_text("\n".join(said for reply in chunk for said in reply.said), "utf-8")
        self._gate.read_text("utf-8")
