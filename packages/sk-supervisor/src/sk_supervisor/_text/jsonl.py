"""Reading the files of JSON lines that a run wrote, with one line in memory at a time.

A line that cannot be read is never dropped silently: it is counted and reported with its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike, fspath
from typing import BinaryIO, Final, Generic, NamedTuple, TypeVar

import msgspec

from sk_supervisor.errors import RecordedFileError

T = TypeVar("T", bound=msgspec.Struct)

LONGEST: Final = 1 << 20
"""The maximum length of a line in bytes."""
_NAMED: Final = 5
_HALF: Final = "incomplete line: its writer was killed, or is still writing"
_MENDED: Final = "incomplete line (its writer was killed); the line after it was read"


class LineFault(NamedTuple):
    """A line that could not be read, and why.

    ``half`` means that it is incomplete: its writer was killed, or is still writing.
    """

    path: str
    line: int
    problem: str
    half: bool

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}"


class Others(NamedTuple):
    """Another kind of lines that a user may pass by mistake; ``said`` names the command for it."""

    kind: type[msgspec.Struct]
    said: str


class JsonLines(Generic[T]):
    """An iterable over the lines of several files, one after the other, as structs of one type.

    After the iteration, ``bad`` and ``halves`` count the lines that could not be read, and
    ``faults`` has the first five. Lines of the kind ``others`` count as bad too; of these only the
    number is reported.

    :raises RecordedFileError: during iteration, when a file cannot be read.
    """

    def __init__(
        self, paths: Sequence[str | PathLike[str]], kind: type[T], others: Others | None = None
    ) -> None:
        self._others = others
        self._other = msgspec.json.Decoder(others.kind) if others else None
        self._of_others: dict[str, int] = {}
        self._paths = [fspath(path) for path in dict.fromkeys(paths)]
        self._decoder = msgspec.json.Decoder(kind)
        self._begin = b'{"%b":' % kind.__struct_encode_fields__[0].encode()
        self.bad, self.halves = 0, 0
        self.faults: list[LineFault] = []

    def __iter__(self) -> Iterator[T]:
        for path in self._paths:
            try:
                with open(path, "rb") as file:
                    yield from self._items(path, file)
            except OSError as error:
                raise RecordedFileError(path, "read", error.strerror or str(error)) from error

    def told(self) -> Iterator[str]:
        """Report the lines that could not be read, the first ones with their places."""
        for path, number in self._of_others.items():
            yield f"{path}: lines that are {self._others.said if self._others else ''}: {number:,}"
        yield from map(str, self.faults)
        total = self.bad + self.halves - sum(self._of_others.values())
        if total > len(self.faults):
            yield f"{total:,} lines could not be read; the first {len(self.faults)} are named."

    def _items(self, path: str, file: BinaryIO) -> Iterator[T]:
        number = 0
        while line := file.readline(LONGEST + 1):
            number += 1
            if len(line) > LONGEST:
                while line and not line.endswith(b"\n"):
                    line = file.readline(LONGEST)
                self._note(path, number, f"a line of more than {LONGEST:,} bytes")
            elif not line.isspace():
                yield from self._item(path, number, line)

    def _item(self, path: str, number: int, line: bytes) -> Iterator[T]:
        item, problem = self._decoded(line)
        if item is not None:
            yield item
            return
        # Several workers append to one file: half a line may be followed by another's whole line.
        begins = line.rfind(self._begin, 1)
        behind = self._decoded(line[begins:])[0] if begins > 0 else None
        if behind is not None:
            self._note(path, number, _MENDED, half=True)
            yield behind
        elif self._is_other(line):
            self.bad += 1
            self._of_others[path] = self._of_others.get(path, 0) + 1
        elif "truncated" in problem:  # msgspec's term for an early end of input
            self._note(path, number, _HALF, half=True)
        else:
            self._note(path, number, problem)

    def _decoded(self, line: bytes) -> tuple[T | None, str]:
        try:
            return self._decoder.decode(line), ""
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return None, str(error) if isinstance(error, msgspec.DecodeError) else "no JSON text"

    def _is_other(self, line: bytes) -> bool:
        if self._other is None:
            return False
        try:
            self._other.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        return True

    def _note(self, path: str, number: int, problem: str, *, half: bool = False) -> None:
        self.bad, self.halves = self.bad + (not half), self.halves + half
        if len(self.faults) < _NAMED:
            self.faults.append(LineFault(path, number, problem, half))
