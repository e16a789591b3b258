"""An exporter that writes lines where writing may hang, and holds up nobody for it."""

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
    """A `DeferredExporter` that encodes items as lines, and has a thread of its own write them.

    Where the limits have who exports wait, a file that is merely slower than the items come loses
    none: one waits for room, as long as lines go out. When none has for the stall timeout, nobody
    waits any longer, and what finds no room is lost, until half of the room is free again. `encode`
    gives a line for each item, ended by a newline that is its only one.
    """

    def __init__(
        self, file: LineFile, encode: Callable[[Sequence[T]], bytes], limits: LineLimits
    ) -> None:
        self._file, self._encode, self._queue = file, encode, LineQueue(limits)
        self.account = self._queue.account
        self._thread: threading.Thread | None = None
        self._close_failure: str | None = None

    def export(self, items: Sequence[T]) -> None:
        """Take the items as lines, or count them as lost.

        :raises RuntimeError: when the system gives no thread; nothing is taken then.
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
        """Take no longer than this, from now on, to finish and close, whatever the limits say."""
        self._queue.close_within(seconds)

    def finish(self) -> None:
        """Begin to write what is held, without waiting for it."""
        self._queue.finish()

    def close(self) -> None:
        """Wait until all is written, or nothing goes out any more, or the time is over.

        :raises ExportFailedError: when the file has not closed, or not in time.
        """
        self._queue.finish()
        if self._thread is None:  # there is a file all the same, of nothing
            with suppress(RuntimeError):  # or no thread, and nothing lost
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
