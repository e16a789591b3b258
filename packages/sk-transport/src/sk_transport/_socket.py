"""Waiting on a non-blocking socket with a deadline, and sending without copies.

The sockets stay non-blocking: the timeout of a socket applies to all threads, but here one thread
sends while another receives, each with its own deadline.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Sequence
from typing import Final

from sk_transport._wire import Buffer
from sk_transport.errors import DeadlineError

_LONGEST_WAIT: Final = 1e6
"""The longest single wait in seconds: `poll` accepts less than 2**31 milliseconds."""


class Deadline:
    """The time at which an operation must end; `seconds=None` means never.

    To wait, wait for `remaining` seconds repeatedly, until `remaining` returns 0.
    """

    def __init__(self, operation: str, seconds: float | None) -> None:
        self._operation = operation
        self._seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds

    def remaining(self) -> float | None:
        """Return how many seconds to wait next: 0 after the deadline, None without a deadline.

        The result never exceeds the longest time that the system can wait at once.
        """
        if self._end is None:
            return None
        return min(max(0.0, self._end - time.monotonic()), _LONGEST_WAIT)

    def error(self) -> DeadlineError:
        """Return the error that reports the missed deadline."""
        return DeadlineError(self._operation, self._seconds or 0.0)


def wait_readable(sock: socket.socket, deadline: Deadline) -> None:
    """Wait until there are bytes to read, the end of the stream or an error.

    Raises `DeadlineError`.
    """
    _wait(sock, select.POLLIN, deadline)


def wait_writable(sock: socket.socket, deadline: Deadline) -> None:
    """Wait until bytes can be written or writing fails at once. Raises `DeadlineError`."""
    _wait(sock, select.POLLOUT, deadline)


def send_parts(sock: socket.socket, parts: Sequence[Buffer], deadline: Deadline) -> float:
    """Send all parts in order with gathered writes; return the seconds spent waiting.

    Raises `DeadlineError` and `OSError`.
    """
    rest = [memoryview(part) for part in parts if len(part)]
    waited = 0.0
    while rest:
        try:
            sent = sock.sendmsg(rest)
        except BlockingIOError:
            began = time.perf_counter()
            wait_writable(sock, deadline)
            waited += time.perf_counter() - began
            continue
        while rest and sent >= len(rest[0]):
            sent -= len(rest.pop(0))
        if sent:
            rest[0] = rest[0][sent:]
    return waited


class LockedBy:
    """Hold a lock within a `with` block. Entering raises `DeadlineError` after the deadline."""

    __slots__ = ("_deadline", "_lock")

    def __init__(self, lock: threading.Lock, deadline: Deadline) -> None:
        self._lock, self._deadline = lock, deadline

    def __enter__(self) -> None:
        while True:
            remaining = self._deadline.remaining()
            if self._lock.acquire(timeout=-1 if remaining is None else remaining):
                return
            if remaining == 0:
                raise self._deadline.error()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def tune(sock: socket.socket) -> None:
    """Make a connection non-blocking, and send small frames without delay (`TCP_NODELAY`)."""
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def reason_of(error: OSError) -> str:
    """Return the system's text for an error, without its number or a path."""
    return error.strerror or type(error).__name__


def _wait(sock: socket.socket, event: int, deadline: Deadline) -> None:
    poll = select.poll()
    poll.register(sock, event)
    while True:
        remaining = deadline.remaining()
        if poll.poll(None if remaining is None else _milliseconds(remaining)):
            return
        if remaining == 0:
            raise deadline.error()


def _milliseconds(seconds: float) -> int:
    # Rounded up: rounding down would busy-wait during the last millisecond.
    return int(-(-seconds * 1000 // 1))
