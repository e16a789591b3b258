"""What a worker tells in one piece, as one line of its standard error, with the level that it has.

A traceback has many lines, and is one record of a log. Between its lines stands, in place of the
end of a line, ASCII's unit separator, and before it all the record separator and the level. So what
is between two ends of a line is whole, and readable, whoever reads it. Pure.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_RECORD, _UNIT = "\x1e", "\x1f"
_TOLD: Final = re.compile(f"{_RECORD}(\\d{{1,3}}){_UNIT}(.*)", re.DOTALL)
#: Of a longer text the middle is left out: whoever reads it holds so much of a line back.
MOST_CHARACTERS: Final = 15_000
#: What begins one, in bytes; and so many bytes it has at most, in UTF-8.
MARK: Final = _RECORD.encode()
MOST_BYTES: Final = 1 << 16


class Told(NamedTuple):
    """A text of one or more lines, what of another line was before it, and its level."""

    before: str
    level: int
    text: str


def line_of(level: int, text: str) -> str:
    """The line, with its end, that a text is told in."""
    if len(text) > MOST_CHARACTERS:
        half = MOST_CHARACTERS // 2
        text = f"{text[:half]}\n...\n{text[-half:]}"
    return f"{_RECORD}{level}{_UNIT}{_UNIT.join(text.splitlines())}\n"


def told_in(line: str) -> Told | None:
    """What is told in a line, without its end; None where it is a line as any other."""
    found = _TOLD.search(line)
    if found is None:
        return None
    return Told(line[: found.start()], int(found[1]), found[2].replace(_UNIT, "\n"))
