"""Driving a sink: write batches, commit or abort the run, and raise typed errors."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sk_kernel._adapters.calls import call_adapter, optional_method
from sk_kernel._graph.graph import SINK, Graph
from sk_kernel._guard.closing import Closing, warn_of_close
from sk_kernel._guard.ends import ENDS
from sk_kernel._measure.stopwatch import Stopwatch, timed_if
from sk_kernel.errors import KernelError

#: What every profile can send to another process: how large counters may be (64 bits), how many a
#: summary may have, and how many characters their names and the places of output may have.
_MOST: Final = (1 << 63) - 1
_COUNTERS: Final = 1000
_NAME: Final = 256
_PLACE: Final = 4096


class SinkDriver:
    """Writes batches to the sink, commits or aborts it, and closes it.

    :param stopwatch: measures the writing; without one nothing is measured.
    """

    def __init__(self, graph: Graph, sink: Any, stopwatch: Stopwatch | None = None) -> None:
        self._sink = sink
        self._call_encode = timed_if(stopwatch, "sink encode", call_adapter)
        self._call_write = timed_if(stopwatch, "sink write", call_adapter)
        self._encode = getattr(sink, "encode", None)
        self._bridge = graph.sink.bridge or SINK
        self.records = 0
        self._is_open = False
        self._closing = Closing()
        #: The places of unfinished output when the sink was closed, or the error of asking for
        #: them.
        self._left: tuple[str, ...] | KernelError | None = None
        #: Whether the sink has committed.
        self.committed = False
        #: What is missing from the summary, and why, as a sentence; empty if nothing is.
        self.unsummed = ""

    def open(self) -> None:
        """Open the sink; if that fails, close it.

        :raises AdapterFailedError: when the sink raised.
        """
        self._is_open = True
        try:
            call_adapter(SINK, "open", optional_method(self._sink, "open"))
        except BaseException as error:
            self._left = ()  # it was never open, so it left no output
            second = self._closed()
            if second is not None:
                error.add_note(f"and then: its close() raised {type(second).__name__}: {second}")
            raise

    def write(self, payloads: Sequence[Any]) -> None:
        """Write one batch.

        :raises AdapterFailedError: when the sink raised.
        """
        chunk: Any = payloads
        count = len(payloads)
        if self._encode is not None:
            chunk = self._call_encode(self._bridge, "encode", self._encode, payloads)
        self._call_write(SINK, "write", self._sink.write, chunk)
        self.records += count

    def end(self, *, complete: bool) -> None:
        """Commit the sink if the run is complete, otherwise abort it."""
        action = "commit" if complete else "abort"
        call_adapter(SINK, action, optional_method(self._sink, action))
        self.committed = complete

    def close(self) -> None:
        """Close the sink, if it was opened and has a ``close``.

        An exception that it raises is only logged as a warning: the run has already ended. May be
        called more than once.
        """
        error = self._closed()
        if error is not None:
            warn_of_close(SINK, error)

    def _closed(self) -> BaseException | None:
        """Close the sink, and return the exception that it raised."""
        is_open, self._is_open = self._is_open, False
        close = getattr(self._sink, "close", None)
        if not is_open or not callable(close):
            return None
        if self._left is None:
            try:
                self._left = self.partial_outputs()
            except KernelError as error:
                self._left = error
        raised = self._closing.call(close)
        if raised is not None and _is_from_outside(raised):
            raise raised
        return raised

    def leave(self) -> None:
        """Break out of the sink's ``close`` that does not return, if it is being closed.

        Only for a signal handler in the thread of :meth:`close`.
        """
        self._closing.leave()

    def partial_outputs(self) -> tuple[str, ...]:
        """Return the places of unfinished output; after the close, as they were then.

        Empty once the sink has committed.

        :raises AdapterFailedError: when the sink raised, or named something that is not text.
        """
        if self.committed:
            return ()
        if isinstance(self._left, KernelError):
            raise self._left
        if self._left is not None:
            return self._left
        named = optional_method(self._sink, "partial_outputs")
        return call_adapter(SINK, "name its partial output", lambda: _places(named()))

    def summary(self) -> dict[str, int]:
        """Return the sink's counters; ``unsummed`` says which are missing, and why.

        Missing counters do not change the outcome of the run, which has already ended.
        """
        try:
            summed = optional_method(self._sink, "summary")
            given = call_adapter(SINK, "give its summary", lambda: dict(summed()))
        except (KernelError, *ENDS) as error:
            if _is_from_outside(error):
                raise
            cause = getattr(error, "cause_type", type(error).__name__)
            self.unsummed = f"{SINK} failed to give its summary: {cause}"
            return {}
        counters = _counters_of(given)
        if left := len(given) - len(counters):
            self.unsummed = (
                f"{SINK}: {left:,} of {len(given):,} counters of its summary are left out: it may"
                f" have {_COUNTERS:,}, whole numbers of 64 bits, named in 1 to {_NAME} characters"
            )
        return counters


def _places(named: Any) -> tuple[str, ...]:
    places = tuple(named)
    for place in places:
        if not isinstance(place, str) or not 0 < len(place) <= _PLACE:
            raise TypeError(f"partial_outputs() gives texts of 1 to {_PLACE} characters")
        place.encode()  # raises if it can be neither sent nor printed
    return places


def _counters_of(given: Mapping[Any, Any]) -> dict[str, int]:
    """Return the counters that can be sent; if there are too many, the first of them."""
    fit = [name for name, count in given.items() if _is_counter(name, count)]
    return {name: given[name] for name in fit[:_COUNTERS]}


def _is_counter(name: Any, count: Any) -> bool:
    if not isinstance(name, str) or not 0 < len(name) <= _NAME:
        return False
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return type(count) is int and -_MOST <= count <= _MOST


def _is_from_outside(error: BaseException) -> bool:
    """Return whether a signal handler raised the exception: ours, or the default one."""
    if type(error) is not KeyboardInterrupt:
        return isinstance(error, KeyboardInterrupt)
    pressed = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return pressed and threading.current_thread() is threading.main_thread()
