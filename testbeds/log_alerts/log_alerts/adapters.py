"""Where lines come from, and where messages go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from msgspec import Struct
from sk_kernel import CheckError, sink, source

from log_alerts.payloads import LogLine, Message


class FileSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A file in UTF-8."""

    path: str


@source(name="log_file")
def log_file(settings: FileSettings) -> Iterator[LogLine]:
    """Each line of the file."""
    with Path(settings.path).open(encoding="utf-8", errors="replace") as lines:
        for number, text in enumerate(lines, 1):
            yield LogLine(number, text.rstrip("\n"))


@sink(name="message_file")
class MessageFile:
    """A file that is there when the run is complete, and not before."""

    def __init__(self, settings: FileSettings) -> None:
        self._target = Path(settings.path)
        self._draft = self._target.with_name(f"{self._target.name}.partial")
        self._out: TextIO | None = None
        self._written = 0

    @classmethod
    def check(cls, settings: FileSettings) -> None:
        """Refuse a folder that is not there.

        :raises CheckError: saying so.
        """
        folder = Path(settings.path).parent
        if not folder.is_dir():
            raise CheckError("path", f"there is no folder {str(folder)!r}")

    def open(self) -> None:
        """Begin the draft."""
        self._out = self._draft.open("w", encoding="utf-8")

    def write(self, chunk: list[Message]) -> None:
        """Write one batch."""
        assert self._out is not None
        self._out.writelines(f"{message.text}\n" for message in chunk)
        self._written += len(chunk)

    def commit(self) -> None:
        """Put the draft in place."""
        self._close()
        self._draft.replace(self._target)

    def abort(self) -> None:
        """Leave the draft where it is."""
        self._close()

    def partial_outputs(self) -> tuple[str, ...]:
        """The draft, until it is in place."""
        return (str(self._draft),) if self._draft.exists() else ()

    def summary(self) -> dict[str, int]:
        """How many messages were written."""
        return {"messages": self._written}

    def _close(self) -> None:
        if self._out is not None:
            self._out.close()
            self._out = None
