"""The thread that reads the source, ahead of the work by as many batches as there is credit for."""

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
    """Reads from ``start()`` to the end of input, or to ``interrupt()``.

    A source that cannot be interrupted (a generator that waits for a line) does not hold up the
    end of the run: its thread is left behind, and the final batch follows what it gave before.
    Nothing is heard of it any more then. What it has given is passed on whole, by the credit that
    there is for it. The source runs with the context variables of the thread
    that has opened it.

    :param patience: so many seconds after its interrupt it is left behind, if that read goes on.
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
        #: Whether the source is being closed behind its last record: the work waits for that.
        self.closes = False
        self._thread = threading.Thread(target=self._run, name="source", daemon=True)
        self._impatience: threading.Timer | None = None
        """Leaves the source behind, when it has been interrupted for too long."""

    def open(self) -> None:
        """Open the source.

        :raises AdapterFailedError: when it cannot be.
        """
        self.driver.open()
        self._as_opened = as_here()
        self._is_open = True

    def start(self) -> None:
        """Begin to read."""
        # Not by begin(), as all other threads of ours: a program that the source starts would have
        # the signals blocked, too, and not end by the SIGTERM that the source sends it.
        self._thread.start()

    def interrupt(self) -> None:
        """End the input here: the final batch follows what was read. Any thread; never waits.

        The source's own ``interrupt`` may take its time, in a thread of its own. If it raises, that
        is delivered. Where the system has no thread to give, the source is left behind at once.
        """
        with self._lock:
            first = self._impatience is None
            if first:
                self._impatience = threading.Timer(self._patience, self._leave_behind)
                self._impatience.daemon = True
        if first:
            self._begin_interrupt()

    def end(self, timeout: float) -> None:
        """See that the source is closed, if that can be had within the time.

        One that was left behind has had its time: it is waited for only where it is being closed.

        :raises AdapterFailedError: when the source raised.
        """
        if self._thread.ident is not None:
            self.interrupt()
            self._credit.end()  # nobody works any more: what it has given goes nowhere
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
                self._interrupt()  # nobody reads it yet: there is nothing to wait for
            else:
                self._leave_behind()

    def _interrupt(self) -> None:
        """Ask the source to end, in a thread of its own."""
        try:
            self._as_opened(self.driver.interrupt)
        except AdapterFailedError as error:
            self._deliver(Broke(error))
        finally:
            self._credit.look_again()

    def _run(self) -> None:
        # Whatever ends this thread ends the run: the main thread waits for its word.
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
                # Before the sink hears of the end: nothing that can fail comes behind the commit.
                self.closes = True
                self.driver.close()
                self.closes = False
            with self._lock:
                self._pass_on(batch, payloads)

    def _pass_on(self, batch: Batch, payloads: Sequence[Any]) -> None:
        """Deliver what comes next, unless the input has ended. Under the lock."""
        if not self._ended:
            self._number, self._last, self._ended = batch.number, batch.last, batch.final
            if not batch.final:
                self._meter.was_read(batch.number)
            self._deliver(SourceRead(batch, payloads))

    def _break(self, error: BaseException) -> None:
        """Deliver what has ended the reading, unless the input has ended without it."""
        with self._lock:
            if not self._ended:
                self._deliver(Broke(error))

    def _leave_behind(self) -> None:
        """End the input without the source, where its read has not heeded the interrupt in time."""
        if self._thread.ident is None:
            return  # it was never started; if it is, its first read gives the final batch
        with self._lock:  # before anything is numbered: its read may end at this moment
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
