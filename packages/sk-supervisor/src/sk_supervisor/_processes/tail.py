"""The last lines of a worker's standard error, kept as evidence in case it fails."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

#: The number of lines kept for a failure event.
TAIL_LINES: Final = 20
#: Of a dump, which lists the innermost call first, this many lines and bytes are kept, which fit
#: into an event: the calls of the application, and not the outer ones of the runtime.
_DUMP_LINES: Final = 14
_DUMP_BYTES: Final = 1600
#: The line with which ``faulthandler`` ends a stack that is too long for it.
_CUT: Final = "  ..."

_STACK: Final = re.compile(r".*\(most recent call first\):")
_IN_STACK: Final = re.compile(r"  |$|Extension modules: |Thread 0x|Current thread")


class Tail:
    """Keeps the last lines; but the first ones of a stack that ``faulthandler`` has dumped.

    :param line_length: the length of a line that continues in the next one.
    """

    def __init__(self, line_length: int) -> None:
        self._line_length = line_length
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._is_dump, self._is_cut, self._goes_on = False, False, False
        self._lines_left, self._bytes_left = 0, 0

    def add(self, line: str) -> None:
        """Add a line."""
        if not self._is_dump and _STACK.fullmatch(line):
            self._is_dump, self._is_cut = True, False
            self._lines_left, self._bytes_left = _DUMP_LINES, _DUMP_BYTES
        elif self._is_dump and not (self._goes_on or _IN_STACK.match(line)):
            self._is_dump = False
        self._goes_on = len(line) == self._line_length
        if self._is_dump:
            self._add_of_dump(line)
        else:
            self._lines.append(line)

    def lines(self) -> tuple[str, ...]:
        """Return the kept lines, in the order in which they were written."""
        return tuple(self._lines)

    def _add_of_dump(self, line: str) -> None:
        self._lines_left -= 1
        self._bytes_left -= len(line.encode()) + 1
        if self._lines_left >= 0 and self._bytes_left >= 0 and not self._is_cut:
            self._lines.append(line)
        elif not self._is_cut:
            self._is_cut = True
            self._lines.append(_CUT)
