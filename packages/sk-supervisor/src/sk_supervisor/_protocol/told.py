"""What a worker tells in one piece, as one line of its standard error, with the level that it has.

A traceback has many lines, and is one record of a log. Between its lines stands, in place of the
end of a line, ASCII's unit separator, and before it all the record separator, the worker's mark and
the level. So what is between two ends of a line is whole, and readable, whoever reads it. The mark
is random and each worker's own: what a node prints has it not by accident. Pure.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterable
from typing import Final, NamedTuple

_RECORD, _UNIT = "\x1e", "\x1f"
#: Of a longer text lines of the middle are left out: whoever reads it holds so much of a line back.
#: They are left out whole, since half of a secret is no longer known as one.
MOST_CHARACTERS: Final = 100_000
#: So many bytes it has at most, with what of another line is before it. A character that an
#: encoding has not is written as ten.
MOST_BYTES: Final = 1 << 20
LEFT_OUT: Final = "..."


class Told(NamedTuple):
    """A text of one or more lines, what of another line was before it, and its level."""

    before: str
    level: int
    text: str


class Marked:
    """Texts to lines, and lines to texts, by the mark of one worker."""

    def __init__(self, mark: str) -> None:
        self._begins = f"{_RECORD}{mark}{_RECORD}"
        self._told = re.compile(f"{self._begins}(\\d\\d){_UNIT}(.*)", re.DOTALL)
        #: What begins one, in bytes.
        self.begins: Final = self._begins.encode()

    def line_of(self, level: int, text: str) -> str:
        """The line, with its end, that a text is told in.

        A text that has a line too long for that is given as it is: whoever reads it cuts that.

        :param level: one that is less than a warning's, as a line of a standard error is, or more
            than the highest, is told as that.
        """
        lines = text.splitlines()
        if len(text) > MOST_CHARACTERS:
            if max(map(len, lines)) >= MOST_CHARACTERS // 2:
                return f"{text}\n"
            lines = _ends_of(lines)
        level = min(max(level, logging.WARNING), logging.CRITICAL)
        return f"{self._begins}{level}{_UNIT}{_UNIT.join(lines)}\n"

    def told_in(self, line: str) -> Told | None:
        """What is told in a line, without its end; None where it is a line as any other."""
        found = self._told.search(line)
        if found is None:
            return None
        return Told(line[: found.start()], int(found[1]), found[2].replace(_UNIT, "\n"))


def new_mark() -> str:
    """One that nobody has had."""
    return secrets.token_hex(8)


def _ends_of(lines: list[str]) -> list[str]:
    first = _within(lines)
    return [*first, LEFT_OUT, *_within(reversed(lines[len(first) :]))[::-1]]


def _within(lines: Iterable[str]) -> list[str]:
    """As many of the lines as have half of the characters."""
    taken: list[str] = []
    room = MOST_CHARACTERS // 2
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        taken.append(line)
    return taken
