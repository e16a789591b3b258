"""Cut a file into lines, never holding more than one line's allowed length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAX_LINE_BYTES = 1024 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# The longest line that is allowed, with all that may be dropped from it. A piece of this length
# without an LF belongs to a line that is too long, wherever that line ends.
_READ_BYTES = len(BYTE_ORDER_MARK) + MAX_LINE_BYTES + len(b"\r\n")


@dataclass(frozen=True)
class Line:
    """One line without its end. Of a line that is too long, `data` is only its beginning."""

    line_no: int
    data: bytes
    too_long: bool


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """Yield every line of the stream, blank ones too, numbered from 1."""
    line_no = 0
    while piece := stream.readline(_READ_BYTES):
        line_no += 1
        unfinished = len(piece) == _READ_BYTES and not piece.endswith(b"\n")
        if line_no == 1:
            piece = piece.removeprefix(BYTE_ORDER_MARK)
        if unfinished:
            _skip_rest_of_line(stream)
        data = _without_end(piece)
        yield Line(line_no, data, unfinished or len(data) > MAX_LINE_BYTES)


def _without_end(piece: bytes) -> bytes:
    if piece.endswith(b"\r\n"):
        return piece[:-2]
    if piece.endswith(b"\n"):
        return piece[:-1]
    return piece


def _skip_rest_of_line(stream: BinaryIO) -> None:
    while piece := stream.readline(_READ_BYTES):
        if piece.endswith(b"\n"):
            return
