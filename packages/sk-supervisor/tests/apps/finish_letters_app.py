"""A worker that gives up what a ``finish()`` has made, passes the end of input on, and dies.

The sink has it die, and goes on when its successor is at the same record.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from sk_kernel import node, sink, source, state

LAST = 103
"""What is made of the last record at the end, which the first worker gives up."""


class Asked(msgspec.Struct, frozen=True):
    n: int


class Total(msgspec.Struct, frozen=True):
    n: int


class Told(msgspec.Struct, frozen=True):
    n: int


class AtTheEnd(msgspec.Struct, forbid_unknown_fields=True):
    folder: str
    """Where ``died`` is a file behind the first worker; ``die``, ``born``, ``late`` are pipes."""
    late: bool = False
    """Whether the second worker gives it up, too, and that behind all that the run waits for."""

    def pipe(self, name: str) -> str:
        return str(Path(self.folder) / name)

    @property
    def died(self) -> Path:
        return Path(self.folder) / "died"


@state(key=None)
class Known(list[int]):
    """What came."""


@source
def questions() -> Iterator[Asked]:
    yield from map(Asked, range(1, 4))


@node
class Sum:
    def __init__(self, known: Known) -> None:
        self._known = known

    def __call__(self, asked: Asked) -> Total:
        self._known.append(asked.n)
        return Total(asked.n)

    def finish(self) -> list[Total]:
        return [Total(100 + n) for n in self._known]


@node
class LookUp:
    def __init__(self, settings: AtTheEnd) -> None:
        self._settings = settings

    def __call__(self, total: Total) -> Told:
        if total.n == LAST:
            if not self._settings.died.exists():
                self._settings.died.touch()
                threading.Thread(target=self._die, daemon=True).start()
                raise ConnectionError("the service is down")
            write(self._settings.pipe("born"))
            if self._settings.late:
                read(self._settings.pipe("late"))
                raise ConnectionError("the service is down")
        return Told(total.n)

    def _die(self) -> None:
        read(self._settings.pipe("die"))
        os.kill(os.getpid(), signal.SIGKILL)


@sink
class Answers:
    def __init__(self, settings: AtTheEnd) -> None:
        self._settings, self._told = settings, list[int]()

    def write(self, several: Sequence[Told]) -> None:
        if LAST - 1 in [told.n for told in several]:
            write(self._settings.pipe("die"))
            read(self._settings.pipe("born"))
        self._told += [told.n for told in several]

    def commit(self) -> None:
        (Path(self._settings.folder) / "out").write_text("\n".join(map(str, self._told)))

    def abort(self) -> None: ...

    def close(self) -> None:
        if self._settings.late:
            write(self._settings.pipe("late"))


def write(pipe: str) -> None:
    """Return when somebody reads it."""
    Path(pipe).write_text("x")


def read(pipe: str) -> None:
    """Return when somebody has written to it."""
    Path(pipe).read_text()
