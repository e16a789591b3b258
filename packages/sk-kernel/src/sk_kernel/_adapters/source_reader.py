"""Reading a source: what it raises given a name, and its read ended, or left, from outside."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from sk_kernel._adapters.calls import call_adapter, optional_method
from sk_kernel._adapters.given import is_empty, listed
from sk_kernel._declare.adapted import GeneratorSource
from sk_kernel._graph.graph import SOURCE, Graph
from sk_kernel._measure.stopwatch import Stopwatch, timed_if
from sk_kernel.errors import AdapterFailedError

#: For how many seconds closing a source waits for an ``interrupt()`` that has not returned.
_INTERRUPT_SECONDS = 1.0


class _Left(KeyboardInterrupt):
    """Ends a read that does not heed an interrupt: like a Ctrl-C it is no failure of the source."""


class SourceReader:
    """Opens a source, reads it, interrupts it and closes it.

    One thread reads; :meth:`interrupt` and :meth:`cut` may come from any.

    :param stopwatch: measures the reading; without one nothing is measured.
    """

    def __init__(self, graph: Graph, source: Any, stopwatch: Stopwatch | None) -> None:
        self._source = source
        self._decode = getattr(source, "decode", None)
        self._generator = source if isinstance(source, GeneratorSource) else None
        self._call_read = timed_if(stopwatch, "source read", call_adapter)
        self._call_decode = timed_if(stopwatch, "source decode", call_adapter)
        self._bridge = graph.source.bridge or SOURCE
        # Reentrant: a signal may be handled in the middle of any of the three that take it.
        self._lock = threading.RLock()
        #: Held while the source is interrupted, which may block: :meth:`close` waits for a second.
        self._interrupting = threading.Lock()
        self._has_waited = False
        self._is_open = False
        #: Whether the input ends here: no read follows.
        self.interrupted = False
        #: In a read; broken out of it; left behind in it, where what it may still bring is dropped.
        self._is_reading = self._is_left = self._is_cut = False
        #: Whether an interrupt is the end of the input, which is complete then, and no cut.
        self._ends_by_interrupt = graph.source.unbounded

    @property
    def is_complete(self) -> bool:
        """Whether the end of the input, where it has come to it, is the input's own."""
        return self._ends_by_interrupt or not self.interrupted

    def open(self) -> None:
        """Open the source."""
        call_adapter(SOURCE, "open", optional_method(self._source, "open"))
        with self._lock:
            self._is_open = True
            late = self.interrupted
        if late:
            self.interrupt()

    def read(self, max_records: int, max_bytes: int) -> Sequence[Any] | None:
        """What the source gives next, decoded; None at the end of the input.

        :raises AdapterFailedError: when the source raised.
        """
        try:
            with self._lock:
                if self.interrupted:
                    return None
                self._is_reading = True
            raw = self._call_read(SOURCE, "read", self._source.read, max_records, max_bytes)
            with self._lock:  # what it gave is either cut's or this thread's
                self._is_reading = False
                if self._is_cut:
                    return None
                self._take()
        except (_Left, AdapterFailedError):
            if not self._is_left:
                self._is_reading = False  # its failure is the end, and no cut
                raise
            return self._take() or None
        if call_adapter(SOURCE, "read", is_empty, raw):
            return None
        if self._decode is not None:
            raw = self._call_decode(self._bridge, "decode", self._decode, raw)
        return call_adapter(self._bridge, "decode", listed, raw)

    def held(self) -> Sequence[Any]:
        """What a generator has given within the read that is under way, or has failed."""
        return self._generator.held() if self._generator else ()

    def cut(self) -> Sequence[Any] | None:
        """End the input in the middle of a read, which is left behind: what a generator has given.

        What that read may still bring is dropped. None where the source is in no read: it begins no
        other.
        """
        with self._lock:
            self.interrupted = True  # it may not have come to that: no thread could be had for it
            if not self._is_reading:
                return None
            self._is_cut = True
            return self.held()

    def interrupt(self) -> None:
        """End the input here, or, before :meth:`open`, at once. Safe in any thread."""
        with self._lock:
            self.interrupted = True
            if not self._is_open:
                self._ends_by_interrupt = False  # of a start there is nothing to complete
                return
            alone = self._interrupting.acquire(blocking=False)
        try:
            call_adapter(SOURCE, "interrupt", self._source.interrupt)
        except BaseException as error:
            self._ends_by_interrupt = False  # it fails the run
            if not isinstance(error, SystemExit):
                raise
            # In a thread that nobody hears.
            raise AdapterFailedError(SOURCE, "interrupt", type(error).__name__) from error
        finally:
            if alone:
                self._interrupting.release()

    def leave(self) -> None:
        """Break out of the source's read, if it is in one: the input ends behind what it has given.

        Only for a signal's handler, in the thread that reads. What the ``read`` of a class held is
        dropped.
        """
        if self._is_reading:
            self._is_reading = False
            self.interrupted = self._is_left = True
            raise _Left

    def close(self) -> None:
        """Close the source; to interrupt it has no effect any more.

        An interrupt that is under way is waited for, but for no longer than a second.
        """
        with self._lock:
            self._is_open = False
        self.await_interrupt()
        call_adapter(SOURCE, "close", optional_method(self._source, "close"))

    def await_interrupt(self) -> None:
        """Wait for an interrupt that is under way: once, and for a second at most."""
        if not self._has_waited and self._interrupting.acquire(timeout=_INTERRUPT_SECONDS):
            self._interrupting.release()
        self._has_waited = True

    def _take(self) -> Sequence[Any]:
        """What :meth:`held` gives, which is held no longer."""
        return self._generator.take() if self._generator else ()
