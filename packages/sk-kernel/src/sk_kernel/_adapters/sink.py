"""Driving a sink: batches written, the run committed or aborted, what it raises given a name."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sk_kernel._adapters.calls import call_adapter, optional_method
from sk_kernel._application.closing import Closing, warn_of_close
from sk_kernel._graph.graph import SINK, Graph
from sk_kernel._measure.stopwatch import Stopwatch, timed_if
from sk_kernel._record.ends import ENDS
from sk_kernel.errors import KernelError

#: What can be told to another process, and so in every profile: counters of 64 bits, so many of
#: them, with names of so many characters; and the places of output, of so many.
_MOST: Final = (1 << 63) - 1
_COUNTERS: Final = 1000
_NAME: Final = 256
_PLACE: Final = 4096


class SinkDriver:
    """Writes batches to the sink, ends it and closes it.

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
        #: Where unfinished output was when the sink was closed, or why it could not say so.
        self._left: tuple[str, ...] | KernelError | None = None
        #: Whether the output is in place.
        self.committed = False
        #: What is missing of the summary, and why, in a sentence; else empty.
        self.unsummed = ""

    def open(self) -> None:
        """Open the sink; one that fails is closed.

        :raises AdapterFailedError: when the sink raised.
        """
        self._is_open = True
        try:
            call_adapter(SINK, "open", optional_method(self._sink, "open"))
        except BaseException as error:
            self._left = ()  # of what was never open
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
        """Commit a complete run, abort any other."""
        action = "commit" if complete else "abort"
        call_adapter(SINK, action, optional_method(self._sink, action))
        self.committed = complete

    def close(self) -> None:
        """Close the sink, where it was to be opened and has a ``close``: nothing follows on that.

        What it raises is warned of: the run has come to its end. Legal more than once.
        """
        error = self._closed()
        if error is not None:
            warn_of_close(SINK, error)

    def _closed(self) -> BaseException | None:
        """Close it; what it has raised."""
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

        Only for a signal's handler, in the thread of :meth:`close`.
        """
        self._closing.leave()

    def partial_outputs(self) -> tuple[str, ...]:
        """Where unfinished output is; nowhere, once it is in place. Behind the end as it was there.

        :raises AdapterFailedError: when the sink raised, or names what is no text.
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
        """The sink's counters; what it fails to give is missing, and ``unsummed`` says why.

        That changes nothing of a run, which has come to its end.
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
        counters = _told(given)
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
        place.encode()  # or it can be neither sent nor printed
    return places


def _told(given: Mapping[Any, Any]) -> dict[str, int]:
    """The counters that can be told, the first of them where they are too many."""
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
    """Whether a signal is behind it: its handler raises an interrupt of its own, or the default."""
    if type(error) is not KeyboardInterrupt:
        return isinstance(error, KeyboardInterrupt)
    pressed = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return pressed and threading.current_thread() is threading.main_thread()
