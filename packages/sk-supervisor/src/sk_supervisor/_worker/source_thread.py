"""The thread that reads the source, ahead of the work by as many batches as credit allows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from sk_kernel import AdapterFailedError, KernelError
from sk_kernel.runtime import Batch, Meter, SourceDriver

from sk_supervisor._system.threads import as_here, begin
from sk_supervisor._worker.inbox import Broke, Credit, Item, SourceRead
from sk_supervisor.errors import ApplicationExitError


class SourceThread:
    """Reads from :meth:`start` to the end of input, or to :meth:`interrupt`.

    A source that cannot be interrupted (a generator that waits for a line) does not delay the end
    of the run: its thread is abandoned, and the final batch follows all records that it returned
    before, which are passed on with the credit of that read. Later records and errors are dropped.
    The source runs with the context variables of the thread that has opened it.

    :param patience: the seconds after its interrupt when a source that is still in the same read is
        abandoned.
    """

    def __init__(
        self,
        driver: SourceDriver,
        credit: Credit,
        deliver: Callable[[Item], None],
        meter: Meter | None = None,
        *,
        patience: float,
    ) -> None:
        self._meter, self._patience = meter or Meter(), patience
        self.driver, self._credit, self._deliver = driver, credit, deliver
        self._as_opened = as_here()
        self._lock = threading.Lock()
        self._number, self._last = 0, 0
        self._is_open = self._ended = self._is_left_behind = False
        #: Whether the source is being closed after its last record, which the work waits for.
        self.closes = False
        self._thread = threading.Thread(target=self._run, name="source", daemon=True)
        self._impatience: threading.Timer | None = None
        """Abandons the source some time after its interrupt."""

    def open(self) -> None:
        """Open the source.

        :raises AdapterFailedError: when it cannot be opened.
        """
        self.driver.open()
        self._as_opened = as_here()
        self._is_open = True

    def start(self) -> None:
        """Begin to read."""
        # Not by begin(), as our other threads are: programs that the source starts would inherit
        # the blocked signals, and not end by a SIGTERM that the source sends them.
        self._thread.start()

    def interrupt(self) -> None:
        """End the input: the final batch follows the batches read so far. Any thread; never waits.

        The source's own ``interrupt`` is called in a thread of its own, as it may be slow. If it
        raises, the error is delivered. If the system cannot start a thread, the source is abandoned
        at once.
        """
        with self._lock:
            first = self._impatience is None
            if first:
                self._impatience = threading.Timer(self._patience, self._leave_behind)
                self._impatience.daemon = True
        if first:
            self._begin_interrupt()

    def end(self, timeout: float) -> None:
        """Interrupt the source if it was started, and wait ``timeout`` seconds for its close.

        An abandoned source is only waited for while it is being closed. A source that was opened
        but never read is closed here.

        :raises AdapterFailedError: when its close raised.
        """
        if self._thread.ident is not None:
            self.interrupt()
            self._credit.end()  # the work has ended: further batches are not run
            if self.closes or not self._is_left_behind:
                self._thread.join(timeout)
        elif self._is_open:
            self._is_open = False
            self.driver.close()

    def _begin_interrupt(self) -> None:
        assert self._impatience is not None  # noqa: S101 - it was made just now
        try:
            begin(self._impatience)
            begin(threading.Thread(target=self._interrupt, name="interrupt", daemon=True))
        except OSError:
            if self._thread.ident is None:
                self._interrupt()  # it is not being read yet, so there is no wait
            else:
                self._leave_behind()

    def _interrupt(self) -> None:
        """Call the source's ``interrupt``."""
        try:
            self._as_opened(self.driver.interrupt)
        except AdapterFailedError as error:
            self._deliver(Broke(error))
        finally:
            self._credit.look_again()

    def _run(self) -> None:
        # Any error that ends this thread ends the run: the main thread waits for its items.
        try:
            self._as_opened(self._read)
        except (SystemExit, KeyboardInterrupt) as error:
            self._break(ApplicationExitError(error))
        except BaseException as error:  # noqa: BLE001
            self._break(error)

    def _read(self) -> None:
        while not self._ended:
            self._credit.wait_for(self._number + 1, lambda: self.driver.ends)
            batch, payloads = self.driver.read()
            if batch.final:
                # Closed before the sink commits, so that nothing can fail after the commit.
                self.closes = True
                self.driver.close()
                self.closes = False
            with self._lock:
                self._pass_on(batch, payloads)

    def _pass_on(self, batch: Batch, payloads: Sequence[Any]) -> None:
        """Deliver the next batch, unless the input has ended. Call with the lock held."""
        if not self._ended:
            self._number, self._last, self._ended = batch.number, batch.last, batch.final
            if not batch.final:
                self._meter.was_read(batch.number)
            self._deliver(SourceRead(batch, payloads))

    def _break(self, error: BaseException) -> None:
        """Deliver the error that ended the reading, unless the input has ended already."""
        with self._lock:
            if not self._ended:
                self._deliver(Broke(error))

    def _leave_behind(self) -> None:
        """End the input without the source, if its read goes on too long after the interrupt."""
        if self._thread.ident is None:
            return  # it was never started; if it is, its first read returns the final batch
        with self._lock:  # before the cut gets its number: the read may end at this moment
            if self._ended:
                return
            try:
                cut = self.driver.cut(self._number, self._last)
                self._credit.look_again()
            except KernelError as error:
                self._is_left_behind = True
                self._deliver(Broke(error))
                return
            self._is_left_behind = bool(cut)
            for batch, payloads in cut:
                self._pass_on(batch, payloads)
