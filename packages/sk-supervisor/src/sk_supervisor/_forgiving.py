"""A text stream that may be gone: what is shown of a run must never end it."""

from __future__ import annotations

import io
from typing import Any, TextIO


class Forgiving(io.TextIOBase):
    """Passes on what is written until the stream breaks; from then on, nothing."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream: TextIO | None = stream

    def write(self, text: str, /) -> int:
        """Write, if anybody is there."""
        try:
            if self._stream is not None:
                self._stream.write(text)
        except (OSError, ValueError):
            self._stream = None  # a closed pipe, a closed file, a terminal that has hung up
        return len(text)

    def flush(self) -> None:
        """Flush, if anybody is there."""
        try:
            if self._stream is not None:
                self._stream.flush()
        except (OSError, ValueError):
            self._stream = None

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        try:
            return self._stream is not None and self._stream.isatty()
        except ValueError:
            return False

    def fileno(self) -> int:
        """The descriptor, which tells how wide a terminal is."""
        if self._stream is None:
            raise io.UnsupportedOperation("the stream is gone")
        return self._stream.fileno()

    @property
    def encoding(self) -> Any:  # type: ignore[override]
        """The stream's own."""
        return getattr(self._stream, "encoding", None) or "utf-8"
