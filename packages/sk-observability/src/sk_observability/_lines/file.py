"""Where lines go: a file, a named pipe or standard output, whoever else writes there.

A file is written a megabyte at a time, and what can be full, such as a pipe, as much
as goes in without waiting: so it shows whether anything goes out. Several writers of one file never
cut each other's lines, nor those of one pipe up to `PIPE_BUF` (4096 bytes on Linux); a longer line
goes into a pipe in pieces, and another writer's may come in between.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

STDOUT: Final = 1
"""The descriptor itself. `sys.stdout` would keep what a broken pipe refused, fail on it once more
at the end of the process, and so change the exit code."""

# O_APPEND: the system finds the file's end and writes there in one step, so that the pieces of
# several processes never overwrite each other, nor mix where a line is one write.
# O_NONBLOCK: nothing to a file; a named pipe is opened, or not, at once.
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
_MODE: Final = 0o644
_FILE_PIECE: Final = 1024 * 1024
# What poll says there is room for, and what no other writer's lines come in between.
_PIPE_PIECE: Final = select.PIPE_BUF
_NEWLINE: Final = b"\n"
_LOOK_SECONDS: Final = 0.2
"""How often a write that waits for room, or for a reader, asks its caller whether to go on."""


class LineFile:
    """Appends lines to the file of this path, or to standard output; in one thread.

    The file is opened when there is something to write, and again where that failed. A named pipe
    that has no reader yet is waited for as one that is full.
    """

    def __init__(self, path: str | None) -> None:
        # Nodes may change the folder that they are in before there is something to write.
        self._path = None if path is None else os.path.abspath(path)
        self._torn = False
        self._descriptor: int | None = None
        self._room: select.poll | None = None  # of what can be full
        self._most = _FILE_PIECE

    def write(self, data: bytes) -> Iterator[int]:
        """Write lines. Gives how many bytes of them are out, again and again, while it waits too.

        Who has heard enough goes on no further. What is left of a line that did not fit (disk full)
        is ended before the next one is written.

        :raises OSError: for why the rest does not go out.
        """
        while self._descriptor is None:
            if not self.is_open():
                yield 0
                time.sleep(_LOOK_SECONDS)
        if self._torn:
            for _ in self._written(self._descriptor, _NEWLINE):
                yield 0
        yield from self._written(self._descriptor, data)

    def close(self) -> None:
        """Close the file; standard output stays open.

        :raises OSError: when the system reports that a write has failed after all.
        """
        if self._descriptor is not None and self._path is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def is_open(self) -> bool:
        """Open the file; not so a named pipe that has no reader.

        :raises OSError: for any other reason.
        """
        opened = STDOUT if self._path is None else _opened(self._path)
        if opened is None:
            return False
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            self._room, self._most = select.poll(), _PIPE_PIECE
            self._room.register(opened, select.POLLOUT)
        self._descriptor = opened
        return True

    def _written(self, descriptor: int, data: bytes) -> Iterator[int]:
        sent = 0
        while sent < len(data):
            if self._has_room():
                end = piece_end(data, sent, self._most)
                with suppress(BlockingIOError):  # another writer was faster
                    sent += os.write(descriptor, memoryview(data)[sent:end])
                    self._torn = data[sent - 1 : sent] != _NEWLINE
            yield sent

    def _has_room(self) -> bool:
        # A reader that has gone is room, too: the write says so.
        return self._room is None or bool(self._room.poll(_LOOK_SECONDS * 1000))


def _opened(path: str) -> int | None:
    try:
        return os.open(path, _FLAGS, _MODE)
    except OSError as error:
        # A socket's path says the same, and is never going to be open.
        if error.errno == errno.ENXIO and stat.S_ISFIFO(os.stat(path).st_mode):
            return None
        raise


def piece_end(data: bytes, start: int, most: int) -> int:
    """Give the end of the longest piece of whole lines of at most that size, if there is one."""
    return data.rfind(_NEWLINE, start, start + most) + 1 or min(start + most, len(data))
