"""What a worker writes, line by line, until its end or until nobody wants it any more."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Final

from sk_supervisor._processes.tail import Tail
from sk_supervisor._protocol.told import LEFT_OUT, MOST_BYTES, Marked, Told
from sk_supervisor._system.threads import begin

#: The stream whose last lines are evidence.
STDERR: Final = "stderr"
STDOUT: Final = "stdout"

#: A longer line is cut into several, of so many characters.
LINE_LENGTH = 2000
#: Of what is told in one piece, the middle of a longer text is left out.
TEXT_LENGTH: Final = 15_000
#: So much of a line without end is held back: a secret of that many bytes is never cut in two.
HELD_BYTES = 8192

#: As much as a pipe holds, by default.
_CHUNK = 65_536
#: How far a cut that would go through a secret is moved at a time.
_STEP = 64


class LineCutter:
    """Bytes to lines without their ends; undecodable bytes are replaced.

    Of a line in which something is told in one piece that comes whole.

    :param clean: takes what nobody may be shown out of a text; it gets every line before it is cut.
    :param marked: knows what is told in one piece; None where nothing is.
    """

    def __init__(self, clean: Callable[[str], str] = str, marked: Marked | None = None) -> None:
        self._rest, self._clean, self._marked = b"", clean, marked

    def feed(self, data: bytes) -> Iterator[str | Told]:
        """The lines that ``data`` completes, and what has come of one that is too long to keep."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield from self._shown(line)
        is_told = self._marked is not None and self._marked.begins in self._rest
        most = MOST_BYTES if is_told else HELD_BYTES + LINE_LENGTH
        if len(self._rest) >= most:
            cut = self._cut()
            begun, self._rest = self._rest[:cut], self._rest[cut:]
            yield from self._shown(begun)

    def finish(self) -> Iterator[str | Told]:
        """What is left without an end, if anything."""
        if self._rest:
            yield from self._shown(self._rest)
            self._rest = b""

    def _shown(self, line: bytes) -> Iterator[str | Told]:
        told = self._marked and self._marked.told_in(line.decode(errors="replace").rstrip("\r"))
        if not told:
            yield from _pieces(self._cleaned(line).rstrip("\r"))
            return
        if told.before:
            yield from _pieces(self._clean(told.before))
        yield Told("", told.level, _shortened(self._clean(told.text)))

    def _cleaned(self, line: bytes) -> str:
        return self._clean(line.decode(errors="replace"))

    def _cut(self) -> int:
        """Where what is left can be cut: far from its end, and not through what is cleaned away."""
        rest, whole = self._rest, self._cleaned(self._rest)
        last = len(rest) - HELD_BYTES
        last -= last % LINE_LENGTH
        for near in range(last, 0, -_STEP):
            cut = _between_characters(rest, near)
            if cut and self._cleaned(rest[:cut]) + self._cleaned(rest[cut:]) == whole:
                return cut
        return len(rest)


def _pieces(line: str) -> Iterator[str]:
    for start in range(0, max(len(line), 1), LINE_LENGTH):
        yield line[start : start + LINE_LENGTH]


def _shortened(text: str) -> str:
    half = TEXT_LENGTH // 2
    if len(text) > TEXT_LENGTH:
        text = f"{text[:half]}\n{LEFT_OUT}\n{text[-half:]}"
    return "\n".join(piece for line in text.split("\n") for piece in _pieces(line))


def _between_characters(text: bytes, near: int) -> int:
    # A character of UTF-8 has at most three bytes that continue it.
    return next((at for at in range(near, max(near - 4, 0), -1) if text[at] & 0xC0 != 0x80), near)


class LineReader:
    """A thread that reads a worker's streams; ``on_line`` gets the name of one and a line of it.

    What is told in one piece it gets whole, with its level, its lines cut as all others.

    A process that has left its group may hold them open for ever: hence ``stop``. Where ``on_line``
    raises, it gets no more lines; they are read all the same, and the thread raises it at its end.

    :param pipes: by name; of ``stderr`` a :class:`Tail` is kept. Of what waits in several,
        the first's is heard first.
    :param clean: has had every line before.
    :param mark: of what is told in one piece, on ``stderr`` alone; None where nothing is.
    :raises OSError: when the system has no thread or descriptor to give; the pipes are left open.
    """

    def __init__(
        self,
        pipes: Mapping[str, IO[bytes]],
        on_line: Callable[..., object],
        name: str,
        clean: Callable[[str], str] = str,
        mark: str | None = None,
    ) -> None:
        self._pipes, self._on_line = dict(pipes), on_line
        self._cutters = {stream: LineCutter(clean) for stream in pipes}
        if mark is not None:
            self._cutters[STDERR] = LineCutter(clean, Marked(mark))
        self._raised: BaseException | None = None
        self._tail = Tail(LINE_LENGTH)
        self._lock = threading.Lock()
        self._wake_in, self._wake_out = os.pipe()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            begin(self._thread)
        except BaseException:
            self.wake()
            os.close(self._wake_in)
            raise

    def await_end(self, timeout: float) -> None:
        """Wait for the end of all of them, but no longer than that."""
        self._thread.join(timeout)

    def tail(self) -> tuple[str, ...]:
        """The last lines of standard error so far."""
        with self._lock:
            return self._tail.lines()

    def stop(self, timeout: float) -> bool:
        """Wait for the end of all, then read no more; whether the thread has ended."""
        self._thread.join(timeout)
        self.wake()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def wake(self) -> None:
        """Have it read what is written now, and no more. It is not waited for."""
        if self._wake_out >= 0:
            os.close(self._wake_out)
            self._wake_out = -1

    def _run(self) -> None:
        streams = {pipe.fileno(): stream for stream, pipe in self._pipes.items()}
        poll = select.poll()
        for fd in (*streams, self._wake_in):
            poll.register(fd, select.POLLIN)
        try:
            woken = False
            while streams and not woken:
                ready = dict(poll.poll())
                woken = self._wake_in in ready
                for fd in [fd for fd in streams if fd in ready]:
                    if not self._read(streams[fd], fd):
                        poll.unregister(fd)
                        del streams[fd]
            for stream in streams.values():
                self._take(stream, self._cutters[stream].finish())
        finally:
            for pipe in self._pipes.values():
                pipe.close()
            os.close(self._wake_in)
        if self._raised is not None:
            raise self._raised

    def _read(self, stream: str, fd: int) -> bool:
        """Read once; whether there may be more."""
        data, cutter = os.read(fd, _CHUNK), self._cutters[stream]
        self._take(stream, cutter.feed(data) if data else cutter.finish())
        return bool(data)

    def _take(self, stream: str, lines: Iterator[str | Told]) -> None:
        for line in lines:
            if isinstance(line, Told):
                self._hear(stream, line.text, line.level)
            else:
                self._hear(stream, line)

    def _hear(self, stream: str, text: str, *level: int) -> None:
        if stream == STDERR:
            with self._lock:
                for line in text.split("\n"):
                    self._tail.add(line)
        if self._raised is None:
            try:
                self._on_line(stream, text, *level)
            except BaseException as error:  # noqa: BLE001 - no fault of the worker's, whose pipe this is
                self._raised = error
