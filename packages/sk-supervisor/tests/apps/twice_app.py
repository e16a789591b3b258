"""A group that every batch passes twice, whose worker dies on the second of the ways.

Once it has passed a batch on from its first segment, and before it has done so from the other.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import msgspec
from sk_kernel import node, sink, source

DOUBTFUL = 4
"""The record that one of both workers gives up, and the other does not. It is the second of the
batch in which the first one dies."""


class Asked(msgspec.Struct, frozen=True):
    n: int


class Found(msgspec.Struct, frozen=True):
    n: int


class Seen(msgspec.Struct, frozen=True):
    n: int


class Told(msgspec.Struct, frozen=True):
    n: int


class Twice(msgspec.Struct, forbid_unknown_fields=True):
    folder: str
    """Where ``died`` is a file behind the first worker; ``again`` is a pipe."""
    gives_up: str = "first"

    @property
    def died(self) -> Path:
        return Path(self.folder) / "died"

    @property
    def again(self) -> Path:
        return Path(self.folder) / "again"


@source(name="questions")
class Questions:
    """Gives batches that are full, where a generator gives what comes within some milliseconds."""

    def __init__(self) -> None:
        self._next = 1

    def read(self, max_records: int, max_bytes: int) -> Sequence[Asked]:
        first, self._next = self._next, min(self._next + max_records, 7)
        return [Asked(n) for n in range(first, self._next)]

    def interrupt(self) -> None: ...


@node
class LookUp:
    def __init__(self, settings: Twice) -> None:
        self._settings, self._second = settings, settings.died.exists()

    def __call__(self, asked: Asked) -> Found:
        if asked.n == DOUBTFUL and self._second == (self._settings.gives_up == "second"):
            raise ConnectionError("the service is down")
        if asked.n == DOUBTFUL + 1 and self._second:
            # Its letters of the batch before are written. Nobody need read, and it stays open.
            os.write(os.open(self._settings.again, os.O_RDWR), b"x")
        return Found(asked.n)


@node
def see(found: Found) -> Seen:
    return Seen(found.n)


@node
class Tell:
    def __init__(self, settings: Twice) -> None:
        self._settings = settings

    def __call__(self, seen: Seen) -> Told:
        if seen.n == DOUBTFUL - 1 and not self._settings.died.exists():
            self._settings.died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Told(seen.n)


@sink
class Answers:
    def __init__(self, settings: Twice) -> None:
        self._settings, self._told = settings, list[int]()

    def write(self, several: Sequence[Told]) -> None:
        if DOUBTFUL - 1 in [told.n for told in several]:
            with self._settings.again.open("rb", buffering=0) as pipe:
                pipe.read(1)
        self._told += [told.n for told in several]

    def commit(self) -> None:
        (Path(self._settings.folder) / "out").write_text("\n".join(map(str, self._told)))

    def abort(self) -> None: ...
