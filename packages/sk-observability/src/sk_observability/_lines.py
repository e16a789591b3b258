"""Lines to a file or to standard output, whole ones, whoever else writes there."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from sk_observability._outlet import reason_of
from sk_observability.errors import ExportFailedError

T = TypeVar("T")

STDOUT: Final = 1
"""The descriptor itself. `sys.stdout` would keep what a broken pipe refused, fail on it once more
at the end of the process, and so change the exit code."""

# O_APPEND: the system finds the file's end and writes there in one step, so that the batches of
# several processes never overwrite each other or mix, as long as each is one write.
# O_NONBLOCK: nothing to a file; a named pipe that is full loses lines and does not hold up the run.
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
_MODE: Final = 0o644


def open_to_append(path: str) -> int:
    """Give a descriptor at a file's end; a new file has the mode 0644 less the umask.

    :raises OSError: when it cannot be opened; the factory turns that into a fault.
    """
    return os.open(path, _FLAGS, _MODE)


class LineExporter(Generic[T]):
    """Writes each batch of items as lines, in one system call.

    `encode` gives lines that end in a newline and have no other. The descriptor is closed at the
    end, unless it is that of standard output.
    """

    def __init__(self, descriptor: int, encode: Callable[[Sequence[T]], bytes]) -> None:
        self._descriptor, self._encode = descriptor, encode
        self._torn = False

    def export(self, items: Sequence[T]) -> None:
        """Write the items.

        What is left of a line that did not fit (disk full) is ended before the next one is written.

        :raises ExportFailedError: with how many lines went out whole.
        """
        healing = int(self._torn)
        data = b"\n" * healing + self._encode(items)
        sent = 0
        try:
            while sent < len(data):  # more than once only where the system took a part of it
                sent += os.write(self._descriptor, data[sent:] if sent else data)
        except OSError as error:
            self._torn = data[sent - 1 : sent] != b"\n" if sent else self._torn
            whole = data.count(b"\n", 0, sent) - healing
            raise ExportFailedError(reason_of(error), max(whole, 0)) from error
        self._torn = False

    def close(self) -> None:
        """Close the file.

        :raises ExportFailedError: when the system reports that a write has failed after all.
        """
        if self._descriptor != STDOUT:
            try:
                os.close(self._descriptor)
            except OSError as error:
                raise ExportFailedError(reason_of(error)) from error
