"""Lock a file by ``flock`` with a time limit, which the system call does not have."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import threading


def flock_within(descriptor: int, seconds: float) -> bool:
    """Lock an open file; return whether this process got the lock within ``seconds``.

    Whatever happens, close the descriptor afterwards: that releases the lock.

    :raises OSError: when the file system refuses the lock, or no thread can be started.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _Wait(descriptor).ends_within(seconds)
    return True


class _Wait:
    """Waits for the lock in a thread of its own, which is abandoned when the time is over.

    The thread waits with a duplicate of the descriptor. A lock belongs to all duplicates, and is
    free when the last of them is closed: so an abandoned thread does not keep it.
    """

    def __init__(self, descriptor: int) -> None:
        self._duplicate = os.dup(descriptor)
        self._has_ended = threading.Event()
        self._error: OSError | None = None

    def ends_within(self, seconds: float) -> bool:
        """Wait; return whether the lock was obtained in time. See :func:`flock_within`."""
        try:
            threading.Thread(target=self._run, name="flock", daemon=True).start()
        except RuntimeError as error:
            os.close(self._duplicate)
            raise OSError(errno.EAGAIN, str(error)) from error
        in_time = self._has_ended.wait(seconds)
        if self._error is not None:
            raise self._error
        return in_time

    def _run(self) -> None:
        # A signal for the process must interrupt the main thread, and not this one.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            fcntl.flock(self._duplicate, fcntl.LOCK_EX)
        except OSError as error:
            self._error = error
        os.close(self._duplicate)
        self._has_ended.set()
