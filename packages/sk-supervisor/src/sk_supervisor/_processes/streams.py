"""Reading the output of a worker line by line, until its end or until the reader is stopped."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Final

from sk_supervisor._processes.tail import Tail
from sk_supervisor._protocol.marked_text import LEFT_OUT, MOST_BYTES, MarkedLines, MarkedText
from sk_supervisor._system.threads import begin

#: The stream whose last lines are evidence of a failure.
STDERR: Final = "stderr"
STDOUT: Final = "stdout"

#: A longer line is split into several, of this many characters.
LINE_LENGTH = 2000
#: From a longer marked text, the middle is left out.
TEXT_LENGTH: Final = 15_000
#: This much of an unfinished line is kept: a secret of at most so many bytes is never split.
HELD_BYTES = 8192

#: The default capacity of a pipe.
_CHUNK = 65_536
#: A cut that would split a secret is moved by this many bytes at a time.
_STEP = 64


class LineCutter:
    """Splits bytes into lines without line ends; replaces undecodable bytes.

    A marked text (several lines that belong together, such as a traceback) is kept whole.

    :param clean: masks secrets in a text; it gets every line before it is split.
    :param marks: finds marked texts; None if there are none.
    """

    def __init__(self, clean: Callable[[str], str] = str, marks: MarkedLines | None = None) -> None:
        self._rest, self._clean, self._marks = b"", clean, marks

    def feed(self, data: bytes) -> Iterator[str | MarkedText]:
        """Yield the lines that ``data`` completes, and the beginning of a line too long to keep."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield from self._shown(line)
        is_marked = self._marks is not None and self._marks.begins in self._rest
        most = MOST_BYTES if is_marked else HELD_BYTES + LINE_LENGTH
        if len(self._rest) >= most:
            cut = self._cut()
            begun, self._rest = self._rest[:cut], self._rest[cut:]
            yield from self._shown(begun)

    def finish(self) -> Iterator[str | MarkedText]:
        """Yield the rest without a line end, if there is any."""
        if self._rest:
            yield from self._shown(self._rest)
            self._rest = b""

    def _shown(self, line: bytes) -> Iterator[str | MarkedText]:
        text = self._marks and self._marks.text_in(line.decode(errors="replace").rstrip("\r"))
        if not text:
            yield from _pieces(self._cleaned(line).rstrip("\r"))
            return
        if text.before:
            yield from _pieces(self._clean(text.before))
        yield MarkedText("", text.level, _shortened(self._clean(text.text)))

    def _cleaned(self, line: bytes) -> str:
        return self._clean(line.decode(errors="replace"))

    def _cut(self) -> int:
        """Return where to cut the rest: far from its end, and not inside a masked text."""
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
    # A character of UTF-8 has at most three continuation bytes.
    return next((at for at in range(near, max(near - 4, 0), -1) if text[at] & 0xC0 != 0x80), near)


class LineReader:
    """A thread that reads a worker's streams; ``on_line`` gets the stream's name and a line.

    A marked text (see :class:`LineCutter`) is passed whole, with its level; its lines are split
    like all others.

    A process that has left the worker's group may hold the streams open for ever, hence ``stop``.
    If ``on_line`` raises, it gets no more lines; they are still read, and the thread raises at its
    end.

    :param pipes: by name; of ``stderr`` a :class:`Tail` is kept. If several have data, the first is
        read first.
    :param clean: masks secrets; applied to every line.
    :param mark: of marked texts, on ``stderr`` only; None if there are none.
    :raises OSError: when the system has no thread or descriptor left; the pipes are left open.
    """

    def __init__(
        self,
        pipes: Mapping[str, IO[bytes]],
        on_line: Callable[..., object],
        *,
        name: str,
        clean: Callable[[str], str] = str,
        mark: str | None = None,
    ) -> None:
        self._pipes, self._on_line = dict(pipes), on_line
        self._cutters = {stream: LineCutter(clean) for stream in pipes}
        if mark is not None:
            self._cutters[STDERR] = LineCutter(clean, MarkedLines(mark))
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
        """Wait for the end of all streams, at most for the time given."""
        self._thread.join(timeout)

    def tail(self) -> tuple[str, ...]:
        """Return the last lines of standard error so far."""
        with self._lock:
            return self._tail.lines()

    def stop(self, timeout: float) -> bool:
        """Wait for the end of all streams, then stop reading; return whether the thread ended."""
        self._thread.join(timeout)
        self.wake()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def wake(self) -> None:
        """Have the thread read what is written so far, and then end. Does not wait for it."""
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
        """Read once; return whether more may come."""
        data, cutter = os.read(fd, _CHUNK), self._cutters[stream]
        self._take(stream, cutter.feed(data) if data else cutter.finish())
        return bool(data)

    def _take(self, stream: str, lines: Iterator[str | MarkedText]) -> None:
        for line in lines:
            if isinstance(line, MarkedText):
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
            except BaseException as error:  # noqa: BLE001 - not the fault of the worker
                self._raised = error
