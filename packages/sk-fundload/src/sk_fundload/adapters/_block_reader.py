"""Blocks of bytes from a descriptor, in a way that another thread can interrupt."""

from __future__ import annotations

import contextlib
import os
import select
import stat
import sys
import threading

from sk_fundload.adapters._place import input_descriptor
from sk_fundload.errors import InputError

#: No wait is longer. Python's handler of a signal that came just before a system call runs when
#: that is over: if it blocked for ever, a request to stop would wait for the next record.
_LONGEST_WAIT_SECONDS = 0.5


class BlockReader:
    """Reads what is there; where that could block, waits for data or for `interrupt`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1
        self._owned = False
        self._wake: tuple[int, int] | None = None
        # Re-entrant: a signal handler may interrupt the very thread that is closing.
        self._lock = threading.RLock()
        self._interrupted = False
        self._can_block = True

    @property
    def can_block(self) -> bool:
        """Whether reading may have to wait: for all but regular files."""
        return self._can_block

    @property
    def interrupted(self) -> bool:
        """Whether `interrupt` was called."""
        return self._interrupted

    def open(self) -> None:
        """Open the path, or take the standard stream that it names.

        :raises InputError: when it cannot be opened.
        """
        standard = input_descriptor(self._path)
        try:
            self._fd = _open(self._path) if standard is None else standard
            self._owned = standard is None
            self._can_block = not stat.S_ISREG(os.fstat(self._fd).st_mode)
            if self._can_block:
                self._wake = os.pipe()
        except OSError as error:
            raise InputError("open", self._path, error.strerror or str(error)) from error

    def read(self, size: int) -> bytes:
        """Give up to ``size`` bytes, at least one; none at the end or once interrupted.

        :raises InputError: when the system cannot read.
        """
        while not self._interrupted:
            try:
                if self._wake and not _wait_readable(self._fd, self._wake[0]):
                    continue
                return os.read(self._fd, size)
            except BlockingIOError:
                continue  # someone else took what was there
            except OSError as error:
                raise InputError("read", self._path, error.strerror or str(error)) from error
        return b""

    def interrupt(self) -> None:
        """Make a waiting or later `read` return nothing, soon. For any thread, at any time."""
        self._interrupted = True
        with self._lock, contextlib.suppress(OSError):
            if self._wake:
                os.write(self._wake[1], b"!")

    def close(self) -> None:
        """Close what was opened; a standard stream stays open."""
        with self._lock:
            wake, self._wake = self._wake, None
            owned, self._owned = self._owned, False
        for fd in (*(wake or ()), *((self._fd,) if owned else ())):
            with contextlib.suppress(OSError):
                os.close(fd)


def _open(path: str) -> int:
    # A pipe without a writer would block open(); Linux lets us wait for data instead, with poll.
    flags = os.O_RDONLY | os.O_CLOEXEC
    if sys.platform == "linux" and stat.S_ISFIFO(os.stat(path).st_mode):
        flags |= os.O_NONBLOCK
    try:
        return os.open(path, flags)
    except ValueError as error:  # a NUL in the name
        raise OSError(None, str(error)) from error


def _wait_readable(fd: int, wake: int) -> bool:
    """Wait, but not for long, until ``fd`` has data or has ended; tell whether that is so.

    It is over as soon as ``wake`` has data, too.
    """
    if sys.platform == "darwin":  # whose poll() does not know terminals
        return fd in select.select([fd, wake], [], [], _LONGEST_WAIT_SECONDS)[0]
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    poll.register(wake, select.POLLIN)
    ready = dict(poll.poll(_LONGEST_WAIT_SECONDS * 1000))
    return fd in ready and wake not in ready
