"""An exporter that writes lines in a thread of its own, because writing may hang."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from sk_observability._exporting.reasons import CLOSED, SHUTDOWN_TIMEOUT, reason_of
from sk_observability._exporting.threads import start_thread
from sk_observability._lines.file import LineFile
from sk_observability._lines.queue import LineLimits, LineQueue, Lines
from sk_observability.errors import ExportFailedError

T = TypeVar("T")


class LineExporter(Generic[T]):
    """A `DeferredExporter` that encodes items as lines, which a thread of its own writes.

    If the limits let the caller of `export` wait, a slow file loses no items: the caller waits for
    room as long as lines are being written. After a stall timeout without progress, callers no
    longer wait, and items without room are lost, until half of the room is free again. `encode`
    returns one line for each item, with a newline at its end and nowhere else.
    """

    def __init__(
        self, file: LineFile, encode: Callable[[Sequence[T]], bytes], limits: LineLimits
    ) -> None:
        self._file, self._encode, self._queue = file, encode, LineQueue(limits)
        self.account = self._queue.account
        self._thread: threading.Thread | None = None
        self._close_failure: str | None = None

    def export(self, items: Sequence[T]) -> None:
        """Encode and queue the items, or count them as lost.

        :raises RuntimeError: if no thread can be started; no item is taken then.
        """
        number, queue = len(items), self._queue
        if not number:
            return
        if self._thread is None:
            self._thread = start_thread("lines", self._run)
        if refusal := queue.wait_for_room():
            self.account.lost(number, refusal)
        elif not queue.put(Lines(self._encode(items), number)):
            self.account.lost(number, CLOSED)

    def close_within(self, seconds: float) -> None:
        """Take at most this long, from now on, to finish and close, whatever the limits say."""
        self._queue.close_within(seconds)

    def finish(self) -> None:
        """Begin to write the queued lines, and return without waiting."""
        self._queue.finish()

    def close(self) -> None:
        """Wait until all lines are written, or writing has stalled, or the time is over.

        :raises ExportFailedError: if the file failed to close, or did not close in time.
        """
        self._queue.finish()
        if self._thread is None:  # nothing was exported: still create the file, empty
            with suppress(RuntimeError):  # no thread could be started; nothing is lost
                self._thread = start_thread("lines", self._run)
        if self._thread is None or not self._queue.close():
            return
        self._thread.join(self._queue.seconds_left)
        if failure := SHUTDOWN_TIMEOUT if self._thread.is_alive() else self._close_failure:
            raise ExportFailedError(failure)

    def _run(self) -> None:
        has_written = False
        while lines := self._queue.take():
            has_written = True
            self._write(lines.data)
        try:
            if not has_written:
                self._file.is_open()
            self._file.close()
        except OSError as error:
            self._close_failure = reason_of(error)

    def _write(self, data: bytes) -> None:
        try:
            for sent in self._file.write(data):
                if not self._queue.went(sent):
                    return
        except OSError as error:
            self._queue.settle(reason_of(error))
        else:
            self._queue.settle()
