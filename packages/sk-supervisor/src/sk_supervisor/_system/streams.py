"""A text stream that may be gone: what is shown of a run must never end it."""

from __future__ import annotations

import contextlib
import io
import os
import select
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TextIO, cast

#: What a buffer of a stream holds, in UTF-8: none of it is lost if the stream cannot take it now.
_PIECE: Final = io.DEFAULT_BUFFER_SIZE // 4
#: How long a non-blocking stream may take nothing before the rest of a text is left to its buffer.
_PATIENCE_MS: Final = 1000


class TolerantStream(io.TextIOBase):
    """Passes on what is written until the stream breaks; from then on, nothing.

    A stream that somebody has made non-blocking (``ssh``, a shared terminal) is waited for, for a
    second at most. A character that its encoding has no form for is written as Python escapes it.
    Whatever else the stream has is had of this one as well, its ``buffer`` say.

    :param stream: None where there was none from the start.
    """

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._behind = self._stream = stream

    def __getattr__(self, name: str) -> Any:
        """What is no text stream's own."""
        return getattr(self.__dict__.get("_behind"), name)

    def writable(self) -> bool:
        """It takes whatever is written, wherever that goes."""
        return True

    def write(self, text: str, /) -> int:
        """Write, if anybody is there.

        :raises TypeError: for bytes, even empty ones: click tests with them what a stream takes.
        """
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        for start in range(0, len(text), _PIECE):
            self._attempt(partial(_write, text=text[start : start + _PIECE]))
        return len(text)

    def flush(self) -> None:
        """Flush, if anybody is there."""
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
        """The descriptor, which tells how wide a terminal is."""
        stream = self._stream
        if stream is None:
            raise io.UnsupportedOperation("the stream is gone")
        return stream.fileno()

    @property
    def encoding(self) -> Any:  # type: ignore[override]
        """The stream's own."""
        return _encoding(self._stream)


def tolerant(stream: TextIO | None) -> TextIO:
    """The stream, as a :class:`TolerantStream` if it is none yet."""
    return cast("TextIO", stream if isinstance(stream, TolerantStream) else TolerantStream(stream))


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:  # a text stream encodes all of it, or writes nothing
        encoding = _encoding(stream)
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _drain(stream: TextIO) -> None:
    """Write what the buffer of a non-blocking stream holds, as long as somebody reads."""
    writable = select.poll()
    writable.register(stream.fileno(), select.POLLOUT)
    is_left = True
    while is_left and writable.poll(_PATIENCE_MS):
        with contextlib.suppress(BlockingIOError):  # it has taken some of it
            stream.flush()
            is_left = False


def _encoding(stream: TextIO | None) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


def fill_standard_streams() -> bool:
    """Open the null device where a standard stream was closed; whether standard output was.

    Else the next pipe or socket gets its number, and with it what is meant for the stream.
    """
    closed = [number for number in range(3) if not _is_open(number)]
    for _ in closed:  # the lowest free one is the one that is opened
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    return 1 in closed


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
