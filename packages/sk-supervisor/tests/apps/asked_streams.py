"""Streams beside requests that do not play along; and a node that is a coroutine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from asked_app import Ask, Opening
from sk_kernel import node, source


class Awaited(msgspec.Struct):
    """Its node is a coroutine, and waits before a gate."""

    n: int
    gate: str = ""


class Done(msgspec.Struct):
    """What comes out."""

    n: int
    by: str


@node
async def awaiting(awaited: Awaited) -> Done:
    """In the midst of an event loop."""
    if awaited.gate:
        Path(awaited.gate).read_bytes()
    return Done(awaited.n, "awaiting")


@source(name="ends")
def ends(settings: Opening) -> Iterator[Ask | Awaited]:
    """Ends when the gate opens."""
    yield Ask(1, who="stream")
    Path(settings.gate).read_bytes()


@source(name="breaks")
def breaks(settings: Opening) -> Iterator[Ask | Awaited]:
    """Raises when the gate opens."""
    yield Ask(1, who="stream")
    Path(settings.gate).read_bytes()
    raise OSError("the input is gone")


class _Endless:
    """A source that gives nothing until it is interrupted."""

    def __init__(self, settings: Opening) -> None:
        self._settings = settings
        self._ended = threading.Event()

    def open(self) -> None: ...

    def read(self, max_records: int, max_bytes: int) -> Sequence[Ask | Awaited]:
        self._ended.wait()
        return ()

    def interrupt(self) -> None:
        self._ended.set()

    def close(self) -> None: ...


@source(name="held")
class Held(_Endless):
    """Does not open before the gate does."""

    def open(self) -> None:
        Path(self._settings.gate).read_bytes()


@source(name="deaf")
class Deaf(_Endless):
    """Raises when it is interrupted, though it ends."""

    def interrupt(self) -> None:
        super().interrupt()
        raise OSError("not now")
