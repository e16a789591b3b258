"""A worker's standard error, line by line, until its end or until nobody wants it any more."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import IO

#: Lines that are kept for a failure event.
TAIL_LINES = 20
#: A longer line is cut into several.
LINE_BYTES = 2000

_CHUNK = 65_536


class LineCutter:
    """Bytes to lines without their ends; undecodable bytes are replaced."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[str]:
        """The lines that ``data`` completes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield from _pieces(line)
        whole = len(self._rest) - len(self._rest) % LINE_BYTES
        if whole:
            yield from _pieces(self._rest[:whole])
            self._rest = self._rest[whole:]

    def finish(self) -> Iterator[str]:
        """What is left without an end, if anything."""
        if self._rest:
            yield from _pieces(self._rest)
            self._rest = b""


def _pieces(line: bytes) -> Iterator[str]:
    for start in range(0, max(len(line), 1), LINE_BYTES):
        yield line[start : start + LINE_BYTES].decode(errors="replace").rstrip("\r")


class LineReader:
    """A thread that reads a pipe and calls ``on_line`` with each line, once ``clean`` has had it.

    A process that has left its group may hold the pipe open for ever: hence ``stop``.
    """

    def __init__(
        self,
        pipe: IO[bytes],
        on_line: Callable[[str], None],
        name: str,
        clean: Callable[[str], str] = str,
    ) -> None:
        self._pipe, self._on_line, self._clean = pipe, on_line, clean
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._lock = threading.Lock()
        self._wake_in, self._wake_out = os.pipe()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def await_end(self, timeout: float) -> None:
        """Wait for the end of the pipe, but no longer than that."""
        self._thread.join(timeout)

    def tail(self) -> tuple[str, ...]:
        """The last lines so far."""
        with self._lock:
            return tuple(self._tail)

    def stop(self, timeout: float) -> bool:
        """Wait for the end of the pipe, then read no more; whether the thread has ended."""
        self._thread.join(timeout)
        if self._wake_out >= 0:
            os.close(self._wake_out)
            self._wake_out = -1
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        cutter, fd = LineCutter(), self._pipe.fileno()
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.register(self._wake_in, select.POLLIN)
        try:
            while self._wake_in not in dict(poll.poll()):
                data = os.read(fd, _CHUNK)
                if not data:
                    break
                self._take(cutter.feed(data))
            self._take(cutter.finish())
        finally:
            self._pipe.close()
            os.close(self._wake_in)

    def _take(self, lines: Iterator[str]) -> None:
        for line in map(self._clean, lines):
            with self._lock:
                self._tail.append(line)
            self._on_line(line)
