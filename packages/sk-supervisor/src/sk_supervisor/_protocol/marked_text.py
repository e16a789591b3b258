"""The format of texts of several lines, with a log level, as one line of a worker's standard error.

A traceback has many lines but is one log record. Its lines are joined by ASCII's unit separator
instead of line ends. The joined line begins with the record separator, the worker's mark, the
record separator again, the level and a unit separator. So a record is always one whole, readable
line. The mark is random for each worker, so that output of a node does not have it by accident.
Pure.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterable
from typing import Final, NamedTuple

_RECORD, _UNIT = "\x1e", "\x1f"
#: Longer texts lose lines in the middle, as the reader buffers no more of a line. Whole lines are
#: left out, since half of a secret could not be recognised and masked.
MOST_CHARACTERS: Final = 100_000
#: The bytes of a marked line, at most, with the part of another line before it. A character that
#: the encoding lacks is written as ten bytes.
MOST_BYTES: Final = 1 << 20
LEFT_OUT: Final = "..."


class MarkedText(NamedTuple):
    """A text of one or more lines, its level, and the part of another line before it."""

    before: str
    level: int
    text: str


class MarkedLines:
    """Converts texts to marked lines and back, with the mark of one worker."""

    def __init__(self, mark: str) -> None:
        self._begins = f"{_RECORD}{mark}{_RECORD}"
        self._pattern = re.compile(f"{self._begins}(\\d\\d){_UNIT}(.*)", re.DOTALL)
        #: The beginning of a marked line, in bytes.
        self.begins: Final = self._begins.encode()

    def line_of(self, level: int, text: str) -> str:
        """The marked line for a text, with its line end.

        A text with a line that is too long is returned unmarked; the reader truncates it.

        :param level: clamped to the range from ``WARNING``, the level of lines of standard error,
            to ``CRITICAL``.
        """
        lines = text.splitlines()
        if len(text) > MOST_CHARACTERS:
            if max(map(len, lines)) >= MOST_CHARACTERS // 2:
                return f"{text}\n"
            lines = _ends_of(lines)
        level = min(max(level, logging.WARNING), logging.CRITICAL)
        return f"{self._begins}{level}{_UNIT}{_UNIT.join(lines)}\n"

    def text_in(self, line: str) -> MarkedText | None:
        """The text in a line, which is given without its line end; None if it is not marked."""
        found = self._pattern.search(line)
        if found is None:
            return None
        return MarkedText(line[: found.start()], int(found[1]), found[2].replace(_UNIT, "\n"))


def new_mark() -> str:
    """Create a random mark."""
    return secrets.token_hex(8)


def _ends_of(lines: list[str]) -> list[str]:
    first = _within(lines)
    return [*first, LEFT_OUT, *_within(reversed(lines[len(first) :]))[::-1]]


def _within(lines: Iterable[str]) -> list[str]:
    """The first lines that together have at most half of ``MOST_CHARACTERS``."""
    taken: list[str] = []
    room = MOST_CHARACTERS // 2
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        taken.append(line)
    return taken
