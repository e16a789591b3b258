"""Text streams that tolerate a lost reader: showing a run's progress must never end the run."""

from __future__ import annotations

import contextlib
import io
import os
import select
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TextIO, cast

#: A piece of text that a stream's buffer can hold, in UTF-8: it is not lost if the stream cannot
#: take it now.
_PIECE: Final = io.DEFAULT_BUFFER_SIZE // 4
#: How long a non-blocking stream may take nothing before the rest of a text is left to its buffer.
_PATIENCE_MS: Final = 1000


class TolerantStream(io.TextIOBase):
    """Passes text on until its stream breaks; discards the text after that.

    A stream that was made non-blocking (by ``ssh``, or on a shared terminal) is waited for, for at
    most a second. A character that the encoding lacks is written as an escape of Python. All other
    attributes, such as ``buffer``, are those of the stream.

    :param stream: None if there was none from the start.
    """

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._behind = self._stream = stream

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the stream that text streams in general do not have."""
        return getattr(self.__dict__.get("_behind"), name)

    def writable(self) -> bool:
        """True: every text is accepted, even if it is discarded."""
        return True

    def write(self, text: str, /) -> int:
        """Write a text, or discard it if the stream is broken.

        :raises TypeError: for bytes, even empty ones: click uses them to test what a stream
            accepts.
        """
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        for start in range(0, len(text), _PIECE):
            self._attempt(partial(_write, text=text[start : start + _PIECE]))
        return len(text)

    def flush(self) -> None:
        """Flush the stream, unless it is broken."""
        self._attempt(lambda stream: stream.flush())

    def _attempt(self, put: Callable[[TextIO], object]) -> None:
        stream = self._stream  # another thread may find it broken
        if stream is None:
            return
        try:
            try:
                put(stream)
            except BlockingIOError:
                _drain(stream)
        except (OSError, ValueError):
            self._stream = None  # a closed pipe, a closed file, a terminal that has hung up

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        stream = self._stream
        try:
            return stream is not None and stream.isatty()
        except ValueError:
            return False

    def fileno(self) -> int:
        """Return the descriptor, by which callers find the width of a terminal."""
        stream = self._stream
        if stream is None:
            raise io.UnsupportedOperation("the stream is gone")
        return stream.fileno()

    @property
    def encoding(self) -> Any:  # type: ignore[override]
        """The encoding of the stream."""
        return _encoding(self._stream)


def tolerant(stream: TextIO | None) -> TextIO:
    """Return the stream itself if it is a :class:`TolerantStream`, otherwise wrapped in one."""
    return cast("TextIO", stream if isinstance(stream, TolerantStream) else TolerantStream(stream))


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:  # a text stream encodes all of it, or writes nothing
        encoding = _encoding(stream)
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _drain(stream: TextIO) -> None:
    """Write the buffer of a non-blocking stream, as long as it is being read."""
    writable = select.poll()
    writable.register(stream.fileno(), select.POLLOUT)
    is_left = True
    while is_left and writable.poll(_PATIENCE_MS):
        with contextlib.suppress(BlockingIOError):  # it has taken a part
            stream.flush()
            is_left = False


def _encoding(stream: TextIO | None) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


def fill_standard_streams() -> bool:
    """Open the null device for each closed standard stream; return whether stdout was closed.

    Otherwise the next pipe or socket would get its number, and the output for the stream.
    """
    closed = [number for number in range(3) if not _is_open(number)]
    for _ in closed:  # the system opens the lowest free number
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    return 1 in closed


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
