"""The source: lines from a file, a pipe or standard input."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from itertools import accumulate
from typing import Annotated, Final

from msgspec import Meta, Struct
from sk_kernel import CheckError, source

from sk_fundload.adapters._block_reader import BlockReader
from sk_fundload.adapters._place import input_descriptor
from sk_fundload.adapters._splitter import LineSplitter
from sk_fundload.domain import MAX_LINE_BYTES, WHITE_SPACE
from sk_fundload.messages import RawLine

_BLOCK: Final = 128 * 1024
_BLANK: Final = WHITE_SPACE.encode()


class LineSourceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The path to read, or ``-`` for standard input."""

    path: Annotated[str, Meta(min_length=1)]


@source(name="fundload_lines", bridge="ingress_line_bridge", stage="ingress")
class LineSource:
    """Reads lines, without their line ends.

    Whatever the input, it holds at most one block of it and one line (at most 1 MiB of the line).
    """

    def __init__(self, settings: LineSourceSettings) -> None:
        self._reader = BlockReader(settings.path)
        self._splitter = LineSplitter(MAX_LINE_BYTES)
        self._lines: list[bytes] = []
        self._held = 0  # upper bound of the bytes read but not yet returned
        self._ended = False
        self._decoded = 0

    @classmethod
    def check(cls, settings: LineSourceSettings) -> None:
        """Check that the path can be read.

        :raises CheckError: if it cannot, with the reason.
        """
        path = settings.path
        standard = input_descriptor(path)
        try:
            mode = os.stat(path if standard is None else standard).st_mode
        except (OSError, ValueError) as error:
            problem = getattr(error, "strerror", None) or str(error)
            raise CheckError("path", f"cannot read {path!r}: {problem}") from error
        if standard is not None:
            return
        if stat.S_ISDIR(mode) or stat.S_ISSOCK(mode):
            kind = "directory" if stat.S_ISDIR(mode) else "socket"
            raise CheckError("path", f"cannot read {path!r}: it is a {kind}, not a file")
        if not os.access(path, os.R_OK):
            raise CheckError("path", f"cannot read {path!r}: permission denied")

    def open(self) -> None:
        """Open the input.

        :raises InputError: if it cannot be opened.
        """
        self._reader.open()

    def read(self, max_records: int, max_bytes: int) -> Sequence[bytes]:
        """Return the available lines, after waiting for one if necessary; no lines at the end.

        A line longer than ``max_bytes`` is returned alone.

        :raises InputError: if the input cannot be read.
        """
        self._fill(1 if self._reader.can_block else max_records, max_bytes)
        if self._reader.interrupted:
            return []
        batch = self._lines[:max_records]
        if self._held > max_bytes:
            self._held = sum(map(len, self._lines)) + self._splitter.pending
            sizes = accumulate(map(len, batch))
            batch = batch[: max(sum(size <= max_bytes for size in sizes), 1)]
        del self._lines[: len(batch)]
        if not self._lines:
            self._held = self._splitter.pending
        return batch

    def decode(self, raw: Sequence[bytes]) -> list[RawLine]:
        """Number the lines and drop the blank ones."""
        first = self._decoded + 1
        self._decoded += len(raw)
        # Nearly every line begins with a visible character, so the first test decides.
        return [
            RawLine(number, data)
            for number, data in enumerate(raw, first)
            if data > b"!" or data.strip(_BLANK) or len(data) > MAX_LINE_BYTES
        ]

    def interrupt(self) -> None:
        """Make a waiting or later `read` return no lines. Any thread."""
        self._reader.interrupt()

    def close(self) -> None:
        """Close the input; standard input stays open."""
        self._reader.close()

    def _fill(self, wanted: int, max_bytes: int = 0) -> bool:
        """Read until ``wanted`` lines or ``max_bytes`` are held; return whether a line is held."""
        while not self._ended and (
            not self._lines or (len(self._lines) < wanted and self._held < max_bytes)
        ):
            block = self._reader.read(_BLOCK)
            self._ended = not block
            if block:
                self._lines += self._splitter.feed(block)
                self._held += len(block)
            elif not self._reader.interrupted:
                self._lines += self._splitter.finish()
        return bool(self._lines)
