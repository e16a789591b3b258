"""A source, or a node, that forks, as ``FORKED`` says; the sink tells how the child ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from sk_kernel import node, sink, source

PLACE, _, HOW = os.environ.get("FORKED", "").partition(" ")
CHILD: dict[str, Callable[[], object]] = {"exit": lambda: sys.exit(7), "give": lambda: None}


class Number(msgspec.Struct, frozen=True):
    n: int
    code: int = 0


class Seen(msgspec.Struct, frozen=True):
    n: int
    code: int


class Settings(msgspec.Struct):
    path: str = ""


def forked(place: str) -> int:
    """How a child of this place has ended; in the child, 0."""
    if place != PLACE:
        return 0
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    CHILD[HOW]()
    return 0


@source
class Numbers:
    def __init__(self) -> None:
        self._given = [1, 2, 3]

    def read(self, max_records: int, max_bytes: int) -> list[Number]:
        given, self._given = self._given, []
        return [Number(n, forked("read") if n == 2 else 0) for n in given]

    def interrupt(self) -> None: ...


@node
def see(number: Number) -> Seen:
    return Seen(number.n, number.code or (forked("node") if number.n == 2 else 0))


@sink
class Lines:
    def __init__(self, settings: Settings) -> None:
        self._target = Path(settings.path)
        self._draft = self._target.with_suffix(".partial")

    def write(self, seen: Sequence[Seen]) -> None:
        with self._draft.open("a") as out:
            out.writelines(f"{each.n} {each.code}\n" for each in seen)

    def commit(self) -> None:
        self._draft.replace(self._target)

    def abort(self) -> None:
        self._draft.unlink()
