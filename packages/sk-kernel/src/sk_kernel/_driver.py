"""Driving a source and a sink: batches in, chunks out, and whatever they raise given a name."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from sk_kernel._batch import Batch
from sk_kernel._ends import ENDS
from sk_kernel._envelope import Envelope
from sk_kernel._graph import SINK, SOURCE, Graph
from sk_kernel._ids import TraceIds
from sk_kernel._observe import Times, Tracer
from sk_kernel._serving import RequestSource
from sk_kernel._trace_context import Callers, called
from sk_kernel.errors import AdapterFailedError, KernelError

T = TypeVar("T")

#: While these are done there is payload about, and the text of what is raised may hold some of it.
_WITH_PAYLOAD = frozenset({"read", "decode", "encode", "write"})
#: The first batch holds no more, and whenever one was more than half full the next may hold twice
#: as many: a short input is shared out among the groups, a long one has few batches.
FIRST_BATCH_RECORDS = 1000
#: How long closing a source waits for an interrupt of it that has not returned.
_INTERRUPT_SECONDS = 1.0
#: The largest counter of a summary that can be told to another process.
_MOST = (1 << 63) - 1


class BatchLimits(msgspec.Struct, frozen=True):
    """When a batch is closed, and how many may be between source and sink.

    The first batches are smaller than ``max_records``, where that is over 1 000.
    """

    max_records: int = 1000
    max_bytes: int = 1 << 20
    in_flight: int = 16


class _Reading(NamedTuple):
    """What the spans of a batch's reading need: the sampled sequences with their trace ids."""

    records: list[tuple[int, str | None]]
    times: Times
    callers: Callers


class SourceDriver:
    """Reads the source batch by batch and numbers the records from 1.

    One thread reads; :meth:`interrupt` may come from any, and :meth:`trace` from another one.
    """

    def __init__(
        self, graph: Graph, source: Any, limits: BatchLimits, ids: TraceIds, *, sampling: bool
    ) -> None:
        self._source, self._limits, self._ids, self._sampling = source, limits, ids, sampling
        self._decode = getattr(source, "decode", None)
        self._bridge = graph.source.bridge or SOURCE
        self._enveloped = graph.source.payload.enveloped
        self._room = min(limits.max_records, FIRST_BATCH_RECORDS)
        #: Whether the last read gave less than it was asked for: the next one may have to wait.
        self.was_short = False
        self._number = 0
        self._next = 1
        self._readings: dict[int, _Reading] = {}
        # Reentrant: a signal may be handled in the middle of any of the three that take it.
        self._lock = threading.RLock()
        #: Held while the source is interrupted, which may block: nobody waits for it without end.
        self._interrupting = threading.Lock()
        self._is_open = self._interrupted = False
        # It has no other end than to be interrupted, and is complete then.
        self._endless = isinstance(source, RequestSource)

    def open(self) -> None:
        """Open the source."""
        _guarded(SOURCE, "open", _optional(self._source, "open"))
        with self._lock:
            self._is_open = True
            late = self._interrupted
        if late:
            self.interrupt()

    def read(self) -> tuple[Batch, Sequence[Any]]:
        """The next batch and its payloads; the final batch, which has none, at the end of input.

        :raises AdapterFailedError: when the source raised.
        """
        start = time.time_ns()
        ended, payloads = self._payloads()
        first, self._next = self._next, self._next + len(payloads)
        callers: Callers = {}
        if self._enveloped:
            payloads, callers = _guarded(self._bridge, "decode", called, payloads, first)
        self._number += 1
        batch = Batch(self._number, first, self._next - 1)
        if ended:
            batch.final = True
            batch.complete = self._endless or not self._interrupted
            return batch, payloads
        batch.sampled = self._sampled(first, batch.last, callers)
        if self._sampling and batch.sampled:
            self._note(batch, payloads, (start, time.time_ns()), callers)
        return batch, payloads

    def interrupt(self) -> None:
        """End the input here, or, before :meth:`open`, at once. Safe in any thread."""
        with self._lock:
            self._interrupted = True
            if not self._is_open:
                return
            alone = self._interrupting.acquire(blocking=False)
        try:
            _guarded(SOURCE, "interrupt", self._source.interrupt)
        except SystemExit as error:  # in a thread that nobody hears
            raise AdapterFailedError(SOURCE, "interrupt", type(error).__name__) from error
        finally:
            if alone:
                self._interrupting.release()

    def close(self) -> None:
        """Close the source; to interrupt it has no effect any more.

        An interrupt that is under way is waited for, but for no longer than a second.
        """
        with self._lock:
            self._is_open = False
        if self._interrupting.acquire(timeout=_INTERRUPT_SECONDS):
            self._interrupting.release()
        _guarded(SOURCE, "close", _optional(self._source, "close"))

    def trace(self, tracer: Tracer, batch: Batch, *, branching: bool) -> None:
        """Record the spans of a batch's reading, once."""
        reading = self._readings.pop(batch.number, None)
        if reading is not None:
            records = (((n,) if branching else n, given) for n, given in reading.records)
            tracer.read(records, reading.times, reading.callers)

    def _payloads(self) -> tuple[bool, Sequence[Any]]:
        if self._interrupted:
            return True, ()
        raw = _guarded(SOURCE, "read", self._source.read, self._room, self._limits.max_bytes)
        if not raw:
            return True, ()
        if self._decode is not None:
            raw = _guarded(self._bridge, "decode", self._decode, raw)
        payloads = _guarded(self._bridge, "decode", _listed, raw)
        self.was_short = len(payloads) < self._room
        if 2 * len(payloads) > self._room:
            self._room = min(self._limits.max_records, 2 * self._room)
        return False, payloads

    def _sampled(self, first: int, last: int, callers: Callers) -> frozenset[int]:
        """By the ratio, but where a caller has decided; that goes on, traced here or not."""
        chosen = self._ids.sampled(first, last) if self._sampling else frozenset()
        if not callers:
            return chosen
        return (chosen - callers.keys()) | {n for n, caller in callers.items() if caller.sampled}

    def _note(self, batch: Batch, payloads: Sequence[Any], times: Times, callers: Callers) -> None:
        records: list[tuple[int, str | None]] = []
        for sequence in sorted(batch.sampled):
            payload = payloads[sequence - batch.first]
            given = payload.trace_id if type(payload) is Envelope else None
            records.append((sequence, given))
        self._readings[batch.number] = _Reading(records, times, callers)


class SinkDriver:
    """Writes batches to the sink and ends it."""

    def __init__(self, graph: Graph, sink: Any) -> None:
        self._sink = sink
        self._encode = getattr(sink, "encode", None)
        self._bridge = graph.sink.bridge or SINK
        self.records = 0
        #: What was wrong with the summary, if anything was; of what was raised the type.
        self.unsummed = ""

    def open(self) -> None:
        """Open the sink."""
        _guarded(SINK, "open", _optional(self._sink, "open"))

    def write(self, payloads: Sequence[Any]) -> None:
        """Write one batch.

        :raises AdapterFailedError: when the sink raised.
        """
        chunk: Any = payloads
        count = len(payloads)
        if self._encode is not None:
            chunk = _guarded(self._bridge, "encode", self._encode, payloads)
        _guarded(SINK, "write", self._sink.write, chunk)
        self.records += count

    def end(self, *, complete: bool) -> None:
        """Commit a complete run, abort any other."""
        action = "commit" if complete else "abort"
        _guarded(SINK, action, _optional(self._sink, action))

    def partial_outputs(self) -> tuple[str, ...]:
        """Where unfinished output is."""
        named = _optional(self._sink, "partial_outputs")
        return _guarded(SINK, "name its partial output", lambda: tuple(named()))

    def summary(self) -> dict[str, int]:
        """The sink's counters; none, and ``unsummed`` says why, where it fails to give them.

        That changes nothing of a run, which has come to its end.
        """
        try:
            return _guarded(
                SINK, "give its summary", lambda: _counters(_optional(self._sink, "summary")())
            )
        except (KernelError, SystemExit) as error:
            cause = getattr(error, "cause_type", type(error).__name__)
            self.unsummed = f"{SINK} failed to give its summary: {cause}"
            return {}


def _counters(summary: Any) -> dict[str, int]:
    counters = dict(summary)
    for name, count in counters.items():
        if not isinstance(name, str) or type(count) is not int or not -_MOST <= count <= _MOST:
            raise TypeError("a summary is whole numbers of 64 bits, each with its name")
        name.encode()  # or it can be neither sent nor printed
    return counters


def _optional(adapter: Any, method: str) -> Callable[[], Any]:
    """A method that an adapter need not have; without it there is nothing to do, or to tell."""
    found: Callable[[], Any] = getattr(adapter, method, tuple)
    return found


def _listed(payloads: Any) -> Sequence[Any]:
    return payloads if isinstance(payloads, list | tuple) else list(payloads)


def _guarded(adapter: str, action: str, call: Callable[..., T], *arguments: Any) -> T:
    try:
        return call(*arguments)
    except (KernelError, *ENDS):
        raise
    except BaseException as error:
        silent = action in _WITH_PAYLOAD and not isinstance(error, OSError)
        problem = "" if silent else str(error)
        raise AdapterFailedError(adapter, action, type(error).__name__, problem) from error
