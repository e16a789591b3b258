"""Appending lines to a file, a named pipe or standard output that other processes write to as well.

A file is written 1 MiB at a time; a descriptor that can be full, such as a pipe, at most `PIPE_BUF`
bytes (4096 on Linux) at a time, when poll reports room, so that progress is visible. Several
writers of one file never interrupt each other's lines, nor do writers of one pipe if the lines have
at most `PIPE_BUF` bytes; a longer line goes into a pipe in pieces, between which another writer's
lines may come.
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
"""The descriptor of standard output. `sys.stdout` would keep data that a broken pipe did not take,
fail again at the end of the process, and so change the exit code."""

# O_APPEND: the system finds the file's end and writes there in one step, so that several processes
# never overwrite each other's data, nor mix lines that are written in one call.
# O_NONBLOCK: no effect on a file; opening a named pipe succeeds or fails at once.
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
_MODE: Final = 0o644
_FILE_PIECE: Final = 1024 * 1024
# The room that poll guarantees, and the size up to which a write to a pipe is atomic.
_PIPE_PIECE: Final = select.PIPE_BUF
_NEWLINE: Final = b"\n"
_LOOK_SECONDS: Final = 0.2
"""The interval at which a write that waits for room or a reader lets its caller end it."""


class LineFile:
    """Appends lines to the file of this path, or to standard output (None); in one thread.

    The file is opened before the first write; if that fails, before the next one. A named pipe
    without a reader is waited for like a full one.
    """

    def __init__(self, path: str | None) -> None:
        # Made absolute now: nodes may change the working directory before the first write.
        self._path = None if path is None else os.path.abspath(path)
        self._torn = False
        self._descriptor: int | None = None
        self._room: select.poll | None = None  # None for a regular file, which cannot be full
        self._most = _FILE_PIECE

    def write(self, data: bytes) -> Iterator[int]:
        """Write lines, and yield repeatedly, also while waiting, how many bytes are written.

        The caller gives up by not resuming the iterator. A line that was written in part (disk
        full) is ended with a newline before the next line is written.

        :raises OSError: if the remaining bytes cannot be written.
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

        :raises OSError: if the system reports a failed write only now.
        """
        if self._descriptor is not None and self._path is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def is_open(self) -> bool:
        """Open the file; return False for a named pipe that has no reader.

        :raises OSError: if the file cannot be opened for any other reason.
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
        # poll also returns if the reader has gone: the write then raises.
        return self._room is None or bool(self._room.poll(_LOOK_SECONDS * 1000))


def _opened(path: str) -> int | None:
    try:
        return os.open(path, _FLAGS, _MODE)
    except OSError as error:
        # Opening the path of a socket fails with the same error, and will never succeed.
        if error.errno == errno.ENXIO and stat.S_ISFIFO(os.stat(path).st_mode):
            return None
        raise


def piece_end(data: bytes, start: int, most: int) -> int:
    """Return the end of the next piece: the whole lines that fit into `most` bytes, else a cut."""
    return data.rfind(_NEWLINE, start, start + most) + 1 or min(start + most, len(data))
