"""Reading a source: typed errors, and ways to end or abandon a read from outside."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from enum import Enum
from typing import Any

from sk_kernel._adapters.calls import call_adapter, optional_method
from sk_kernel._adapters.given import is_empty, listed
from sk_kernel._declare.adapted import GeneratorSource
from sk_kernel._graph.graph import SOURCE, Graph
from sk_kernel._measure.stopwatch import Stopwatch, timed_if
from sk_kernel.errors import AdapterFailedError

#: How long, in seconds, closing a source waits for an ``interrupt()`` that has not returned.
_INTERRUPT_SECONDS = 1.0


class _Left(KeyboardInterrupt):
    """Ends a read that ignores an interrupt; like a Ctrl-C, it is not a failure of the source."""


class _State(Enum):
    """The state of a source. The comments name the states of its input that are possible in it."""

    #: Not open yet, or closed: an interrupt does not reach the source. Any input.
    CLOSED = 1
    #: Open, and in no read. Any input; a read begins only if it is ``RUNNING``.
    IDLE = 2
    #: In a read. Any input: an interrupt may have come since the read began.
    READING = 3
    #: In a read that :meth:`SourceReader.leave` breaks out of. ``ENDED`` or ``CUT_SHORT``.
    LEFT = 4
    #: In a read that :meth:`SourceReader.cut` has abandoned, and whose result is dropped. ``ENDED``
    #: or ``CUT_SHORT``.
    CUT = 5


class _Input(Enum):
    """The state of the input, which changes at an interrupt: the first one, or one that fails."""

    #: Not interrupted: reads follow until one of them returns nothing.
    RUNNING = 1
    #: Interrupted, as is the way to end an unbounded source: the input is complete.
    ENDED = 2
    #: Interrupted before its end or before the source was open, or by an interrupt that failed.
    CUT_SHORT = 3


# Bound once, since a read needs them: a lookup in the class is slower.
_IDLE, _READING, _CUT, _RUNNING = _State.IDLE, _State.READING, _State.CUT, _Input.RUNNING


class SourceReader:
    """Opens a source, reads it, interrupts it and closes it.

    One thread opens, reads and closes; :meth:`interrupt` and :meth:`cut` may be called from any
    thread.

    :param stopwatch: measures the reading; without one nothing is measured.
    """

    def __init__(self, graph: Graph, source: Any, stopwatch: Stopwatch | None) -> None:
        self._source = source
        self._decode = getattr(source, "decode", None)
        self._generator = source if isinstance(source, GeneratorSource) else None
        self._call_read = timed_if(stopwatch, "source read", call_adapter)
        self._call_decode = timed_if(stopwatch, "source decode", call_adapter)
        self._bridge = graph.source.bridge or SOURCE
        # Reentrant: a signal may be handled while any of the methods that take it holds it.
        self._lock = threading.RLock()
        #: Held while the source is being interrupted, which may block: see :meth:`await_interrupt`.
        self._interrupting = threading.Lock()
        self._has_waited = False
        self._state = _State.CLOSED
        self._input = _RUNNING
        self._when_interrupted = _Input.ENDED if graph.source.unbounded else _Input.CUT_SHORT

    @property
    def interrupted(self) -> bool:
        """Whether the input has been interrupted: no read follows."""
        return self._input is not _RUNNING

    @property
    def is_complete(self) -> bool:
        """Whether the input, once it has ended, is complete and was not cut short."""
        return self._input is not _Input.CUT_SHORT

    def open(self) -> None:
        """Open the source."""
        call_adapter(SOURCE, "open", optional_method(self._source, "open"))
        with self._lock:
            self._state = _IDLE
            late = self.interrupted
        if late:
            self.interrupt()

    def read(self, max_records: int, max_bytes: int) -> Sequence[Any] | None:
        """Return the source's next payloads, decoded; None at the end of the input.

        :raises AdapterFailedError: when the source raised.
        """
        try:
            with self._lock:
                if self._input is not _RUNNING:
                    return None
                self._state = _READING
            raw = self._call_read(SOURCE, "read", self._source.read, max_records, max_bytes)
            with self._lock:  # the payloads go either to cut() or to this thread
                state, self._state = self._state, _IDLE
                if state is _CUT:
                    return None
                self._take()
        except (_Left, AdapterFailedError):
            is_left = self._state is _State.LEFT
            self._state = _IDLE  # the failure ends the input, so cut() finds no read
            if not is_left:
                raise
            return self._take() or None
        if call_adapter(SOURCE, "read", is_empty, raw):
            return None
        if self._decode is not None:
            raw = self._call_decode(self._bridge, "decode", self._decode, raw)
        return call_adapter(self._bridge, "decode", listed, raw)

    def held(self) -> Sequence[Any]:
        """Return what a generator has yielded in the read that is in progress or has failed."""
        return self._generator.held() if self._generator else ()

    def cut(self) -> Sequence[Any] | None:
        """End the input in the middle of a read that is abandoned; return what a generator yielded.

        Whatever that read still returns is dropped. Return None if the source is in no read: it
        begins no other.
        """
        with self._lock:
            self._end_input()  # interrupt() may not have run, if no thread could be started
            if self._state not in (_READING, _CUT):
                return None
            self._state = _CUT
            return self.held()

    def interrupt(self) -> None:
        """End the input now; called before :meth:`open`, read nothing. Safe in any thread."""
        with self._lock:
            self._end_input()
            if self._state is _State.CLOSED:
                self._input = _Input.CUT_SHORT  # before the start there is nothing to complete
                return
            alone = self._interrupting.acquire(blocking=False)
        try:
            call_adapter(SOURCE, "interrupt", self._source.interrupt)
        except BaseException as error:
            self._input = _Input.CUT_SHORT  # its failure fails the run
            if not isinstance(error, SystemExit):
                raise
            # A SystemExit would be ignored in a thread.
            raise AdapterFailedError(SOURCE, "interrupt", type(error).__name__) from error
        finally:
            if alone:
                self._interrupting.release()

    def leave(self) -> None:
        """Break out of the source's read, if it is in one; the input ends with what it yielded.

        Only for a signal handler in the thread that reads. Records inside the ``read`` of a source
        class are dropped.
        """
        if self._state is _READING:
            self._state = _State.LEFT
            self._end_input()
            raise _Left

    def close(self) -> None:
        """Close the source; from then on an interrupt has no effect.

        Wait for an interrupt that is in progress, but for no longer than a second.
        """
        with self._lock:
            self._state = _State.CLOSED
        self.await_interrupt()
        call_adapter(SOURCE, "close", optional_method(self._source, "close"))

    def await_interrupt(self) -> None:
        """Wait for an interrupt that is in progress: once, and for at most a second."""
        if not self._has_waited and self._interrupting.acquire(timeout=_INTERRUPT_SECONDS):
            self._interrupting.release()
        self._has_waited = True

    def _end_input(self) -> None:
        """Note an interrupt; the first one decides whether the input is complete."""
        if self._input is _RUNNING:
            self._input = self._when_interrupted

    def _take(self) -> Sequence[Any]:
        """Return and remove what :meth:`held` returns."""
        return self._generator.take() if self._generator else ()
