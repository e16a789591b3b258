"""Reading blocks of bytes from a descriptor; another thread can interrupt a waiting read."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import stat
import sys
import threading
from collections.abc import Iterator

from sk_fundload.adapters._place import input_descriptor
from sk_fundload.errors import InputError


class BlockReader:
    """Reads available data; if reading could block, waits for data or for `interrupt`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1
        self._owned = False
        self._wake: tuple[int, int] | None = None
        # Re-entrant: a signal handler may run in the thread that is closing.
        self._lock = threading.RLock()
        self._interrupted = False
        self._can_block = True

    @property
    def can_block(self) -> bool:
        """Whether reading may have to wait: true except for regular files."""
        return self._can_block

    @property
    def interrupted(self) -> bool:
        """Whether `interrupt` was called."""
        return self._interrupted

    def open(self) -> None:
        """Open the path, or use the standard stream that it names.

        :raises InputError: if it cannot be opened.
        """
        standard = input_descriptor(self._path)
        try:
            self._fd = _open(self._path) if standard is None else standard
            self._owned = standard is None
            self._can_block = not stat.S_ISREG(os.fstat(self._fd).st_mode)
            if self._can_block:
                self._wake = os.pipe()
                for end in self._wake:
                    os.set_blocking(end, False)
        except OSError as error:
            raise InputError("open", self._path, error.strerror or str(error)) from error

    def read(self, size: int) -> bytes:
        """Return 1 to ``size`` bytes, or no bytes at the end of the input or after `interrupt`.

        :raises InputError: if the input cannot be read.
        """
        while not self._interrupted:
            try:
                if self._wake and not _wait_readable(self._fd, self._wake):
                    continue
                return os.read(self._fd, size)
            except BlockingIOError:
                continue  # another reader took the data
            except OSError as error:
                raise InputError("read", self._path, error.strerror or str(error)) from error
        return b""

    def interrupt(self) -> None:
        """Make a waiting or later `read` return no bytes. Any thread, at any time."""
        self._interrupted = True
        with self._lock, contextlib.suppress(OSError):
            if self._wake:
                os.write(self._wake[1], b"!")

    def close(self) -> None:
        """Close the input; a standard stream stays open."""
        with self._lock:
            wake, self._wake = self._wake, None
            owned, self._owned = self._owned, False
        for fd in (*(wake or ()), *((self._fd,) if owned else ())):
            with contextlib.suppress(OSError):
                os.close(fd)


def _open(path: str) -> int:
    # open() of a pipe without a writer would block; on Linux, poll can wait for the data instead.
    flags = os.O_RDONLY | os.O_CLOEXEC
    if sys.platform == "linux" and stat.S_ISFIFO(os.stat(path).st_mode):
        flags |= os.O_NONBLOCK
    try:
        return os.open(path, flags)
    except ValueError as error:  # a NUL in the name
        raise OSError(None, str(error)) from error


def _wait_readable(fd: int, wake: tuple[int, int]) -> bool:
    """Wait until ``fd`` has data or has ended, or ``wake`` has data; return whether ``fd`` did."""
    with _signals_wake(wake[1]):
        ready = _ready(fd, wake[0])
    if wake[0] in ready:
        with contextlib.suppress(BlockingIOError):
            os.read(wake[0], select.PIPE_BUF)
    return fd in ready


def _ready(*fds: int) -> list[int]:
    if sys.platform == "darwin":  # its poll() does not support terminals
        return select.select(fds, [], [])[0]
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return [fd for fd, _ in poll.poll()]


@contextlib.contextmanager
def _signals_wake(fd: int) -> Iterator[None]:
    """Have signals write to ``fd`` if this is the main thread, which runs the signal handlers.

    Otherwise the handler of a signal that came just before the wait would only run after the wait,
    which may last until the next record.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.set_wakeup_fd(fd, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
