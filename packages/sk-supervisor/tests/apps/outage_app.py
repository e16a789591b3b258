"""A look-up that works, until its service goes down and takes the worker with it: a file says so.

The sink takes nothing until its successor runs: all that the worker has passed on is in flight.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from sk_kernel import node, sink, source


class Asked(msgspec.Struct, frozen=True):
    n: int


class Found(msgspec.Struct, frozen=True):
    n: int


class Outage(msgspec.Struct, forbid_unknown_fields=True):
    folder: str
    """Where ``down`` is a file while the service is; ``first`` and ``second`` are pipes."""

    @property
    def down(self) -> Path:
        return Path(self.folder) / "down"

    def meet(self, pipe: str) -> None:
        """Return when the sink waits at a pipe, which does so until then."""
        (Path(self.folder) / pipe).write_text("")


LAST_UP = 7
"""The record behind which the service goes down; it stays so for this one and the next."""


@source
def questions() -> Iterator[Asked]:
    yield from map(Asked, range(1, 13))


@node
class LookUp:
    def __init__(self, settings: Outage) -> None:
        self._settings, self._met = settings, False

    def __call__(self, asked: Asked) -> Found:
        if not self._settings.down.exists():
            if asked.n > LAST_UP:
                self._settings.down.touch()
                self._settings.meet("first")
                os.kill(os.getpid(), signal.SIGKILL)
            return Found(asked.n)
        if not self._met:
            self._settings.meet("second")
            self._met = True
        if asked.n <= LAST_UP + 1:
            raise ConnectionError("the service is down")
        return Found(asked.n)


@sink
class Answers:
    def __init__(self, settings: Outage) -> None:
        self._settings, self._found = settings, list[str]()

    def write(self, several: Sequence[Found]) -> None:
        if not self._found:
            for pipe in ("first", "second"):
                (Path(self._settings.folder) / pipe).read_text()
        self._found += [f"{found.n}\n" for found in several]

    def commit(self) -> None:
        (Path(self._settings.folder) / "out").write_text("".join(self._found))

    def abort(self) -> None: ...
