"""Waiting on a non-blocking socket with a deadline, and sending without copies.

The sockets stay non-blocking: a socket's own timeout is one setting for all threads, and here one
thread sends while another receives, each with a deadline of its own.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Sequence

from sk_transport._wire import Buffer
from sk_transport.errors import DeadlineError


class Deadline:
    """The end of the time that an operation has; `seconds=None` is forever."""

    def __init__(self, operation: str, seconds: float | None) -> None:
        self._operation = operation
        self._seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds

    def remaining(self) -> float | None:
        """Return the seconds left (0 or more), None for forever."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def error(self) -> DeadlineError:
        """Return the error that says that the time is over."""
        return DeadlineError(self._operation, self._seconds or 0.0)


def wait_readable(sock: socket.socket, deadline: Deadline) -> None:
    """Return when bytes, the end or an error can be read. Raises `DeadlineError`."""
    _wait(sock, select.POLLIN, deadline)


def wait_writable(sock: socket.socket, deadline: Deadline) -> None:
    """Return when bytes can be written or an error can be had. Raises `DeadlineError`."""
    _wait(sock, select.POLLOUT, deadline)


def send_parts(sock: socket.socket, parts: Sequence[Buffer], deadline: Deadline) -> float:
    """Send all the parts, in order, gathered by the kernel; return the seconds spent in waiting.

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


class Held:
    """Hold a lock. Entering raises `DeadlineError` when it is not to be had in time."""

    __slots__ = ("_deadline", "_lock")

    def __init__(self, lock: threading.Lock, deadline: Deadline) -> None:
        self._lock, self._deadline = lock, deadline

    def __enter__(self) -> None:
        remaining = self._deadline.remaining()
        if not self._lock.acquire(timeout=-1 if remaining is None else remaining):
            raise self._deadline.error()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def tune(sock: socket.socket) -> None:
    """Set what every connection of this package has: no blocking, no delay of small frames."""
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def reason_of(error: OSError) -> str:
    """Return the system's own words for an error, without its number or a path."""
    return error.strerror or type(error).__name__


def _wait(sock: socket.socket, event: int, deadline: Deadline) -> None:
    poll = select.poll()
    poll.register(sock, event)
    remaining = deadline.remaining()
    if not poll.poll(None if remaining is None else _milliseconds(remaining)):
        raise deadline.error()


def _milliseconds(seconds: float) -> int:
    # Rounded up: rounding down would spin through the last millisecond.
    return int(-(-seconds * 1000 // 1))
