"""Splitting blocks of bytes into lines: no input or output, and bounded memory for any input."""

from __future__ import annotations

from typing import Final

_BOM: Final = b"\xef\xbb\xbf"
_CR: Final = b"\r"


class LineSplitter:
    """Splits a stream into lines without their line ends (LF, and one CR before it).

    A byte order mark at the start of the stream is dropped. Of a line longer than ``limit`` bytes
    only the first ``limit + 1`` are kept: enough to recognise that it is too long.
    """

    __slots__ = ("_first", "_limit", "_rest", "_room")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._room = limit + len(_BOM) + len(_CR) + 1  # enough of any line to decide about it
        self._rest = bytearray()
        self._first = True

    @property
    def pending(self) -> int:
        """The number of bytes held of a line that has not ended yet."""
        return len(self._rest)

    def feed(self, block: bytes) -> list[bytes]:
        """Return the lines that end in ``block``."""
        lines = block.split(b"\n")
        last = lines.pop()
        if not lines:
            self._hold(last)
            return lines
        carriage_returns = _CR in block or self._rest.endswith(_CR)
        if self._rest:
            self._hold(lines[0])
            lines[0] = bytes(self._rest)
            self._rest.clear()
        self._hold(last)
        if carriage_returns:
            lines = [line.removesuffix(_CR) for line in lines]
        self._trim_first(lines)
        if len(lines[0]) > self._limit or len(block) > self._limit:
            lines = [line[: self._limit + 1] for line in lines]
        return lines

    def finish(self) -> list[bytes]:
        """Return the last line if the input does not end with LF, else no line."""
        if not self._rest:
            return []
        lines = [bytes(self._rest)]
        self._rest.clear()
        self._trim_first(lines)
        return [lines[0][: self._limit + 1]]

    def _hold(self, piece: bytes) -> None:
        self._rest += piece[: max(self._room - len(self._rest), 0)]

    def _trim_first(self, lines: list[bytes]) -> None:
        if self._first:
            self._first = False
            lines[0] = lines[0].removeprefix(_BOM)
