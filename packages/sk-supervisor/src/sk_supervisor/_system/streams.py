"""Text streams that tolerate a lost reader: showing a run's progress must never end the run."""

from __future__ import annotations

import contextlib
import io
import os
import select
import threading
from typing import Any, Final, TextIO, cast

#: How long a non-blocking stream may take nothing before the rest of a text is discarded, except
#: for the part that its buffer holds.
_PATIENCE_MS: Final = 1000


class TolerantStream(io.TextIOBase):
    """Passes text on until its stream breaks; discards the text after that.

    A text is written at once, so that threads do not mix their lines. A stream that was made
    non-blocking (by ``ssh``, or on a shared terminal) is waited for until it takes nothing for a
    second, and then not again until it takes something. A character that the encoding lacks is
    written as an escape of Python. All other attributes, such as ``buffer``, are those of the
    stream.

    :param stream: None if there was none from the start.
    """

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._behind = self._stream = stream
        self._waiting, self._stalled = threading.RLock(), False

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
        self._put(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream, unless it is broken."""
        self._put("", flush=True)

    def _put(self, text: str, *, flush: bool = False) -> None:
        stream = self._stream  # another thread may find it broken
        if stream is None:
            return
        try:
            if _may_refuse(stream):
                with self._waiting:
                    patience = 0 if self._stalled else _PATIENCE_MS
                    self._stalled = not _write_waiting(stream, text, patience)
                return
            if text:
                _write(stream, text)
            if flush:
                stream.flush()
        except BlockingIOError:
            pass  # it was made non-blocking meanwhile: the rest of this text is lost
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


def _may_refuse(stream: TextIO) -> bool:
    """Whether the stream is non-blocking, and has the binary buffer that keeps count of its bytes.

    :raises ValueError: when the stream is closed.
    """
    try:
        return hasattr(stream, "buffer") and not os.get_blocking(stream.fileno())
    except io.UnsupportedOperation:
        return False


def _write_waiting(stream: TextIO, text: str, patience_ms: int) -> bool:
    """Write to a non-blocking stream, and flush it; return whether it has taken everything.

    The text goes to the binary buffer, which reports how much it has taken. A text stream that
    cannot write everything loses the rest.

    :param patience_ms: how long to wait until it takes something for the first time.
    """
    writable = select.poll()
    writable.register(stream.fileno(), select.POLLOUT)
    with contextlib.suppress(BlockingIOError):
        stream.flush()  # earlier text first
    rest = memoryview(_encoded(stream, text))
    while True:
        try:
            rest = rest[stream.buffer.write(rest) or 0 :]
            stream.flush()
        except BlockingIOError as full:
            rest = rest[full.characters_written :]
        else:
            if not rest:
                return True
        if not writable.poll(patience_ms):
            return False
        patience_ms = _PATIENCE_MS


def _encoded(stream: TextIO, text: str) -> bytes:
    encoding = _encoding(stream)
    try:
        return text.encode(encoding, stream.errors or "strict")
    except UnicodeEncodeError:
        return text.encode(encoding, "backslashreplace")


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
