"""Driving a source: its records numbered, in batches, with what it raises given a name."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from sk_kernel._adapters.callers import Callers, called
from sk_kernel._adapters.calls import call_adapter, optional_method
from sk_kernel._adapters.given import is_empty, listed
from sk_kernel._batch.batch import Batch
from sk_kernel._declare.adapted import GeneratorSource
from sk_kernel._graph.graph import SOURCE, Graph
from sk_kernel._measure.stopwatch import Stopwatch, timed_if
from sk_kernel._record.envelope import Envelope
from sk_kernel._record.ids import TraceIds
from sk_kernel._trace.observe import Times, Tracer
from sk_kernel.errors import AdapterFailedError

#: The first batch holds no more, and whenever one was more than half full the next may hold twice
#: as many: a short input is shared out among the groups, a long one has few batches.
FIRST_BATCH_RECORDS = 1000
#: For how many seconds closing a source waits for an ``interrupt()`` that has not returned.
_INTERRUPT_SECONDS = 1.0


class BatchLimits(msgspec.Struct, frozen=True):
    """When a batch is closed, and how many may be between source and sink.

    The first batches are smaller than ``max_records``, where that is over 1 000.
    """

    max_records: int = 1000
    max_bytes: int = 1 << 20
    in_flight: int = 16


class _Reading(NamedTuple):
    """What the spans of a batch's reading are made of.

    ``records`` are the sampled sequence numbers with the trace ids that their envelopes gave.
    """

    records: list[tuple[int, str | None]]
    times: Times
    callers: Callers


class _Left(KeyboardInterrupt):
    """Ends a read that does not heed an interrupt: like a Ctrl-C it is no failure of the source."""


class SourceDriver:
    """Reads the source batch by batch and numbers the records from 1.

    One thread reads; :meth:`interrupt` may come from any, and :meth:`trace` from another one.

    :param stopwatch: measures the reading; without one nothing is measured.
    """

    def __init__(
        self,
        graph: Graph,
        source: Any,
        limits: BatchLimits,
        ids: TraceIds,
        *,
        sampling: bool,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        self._source, self._limits, self._ids, self._sampling = source, limits, ids, sampling
        self._decode = getattr(source, "decode", None)
        self._generator = source if isinstance(source, GeneratorSource) else None
        self._call_read = timed_if(stopwatch, "source read", call_adapter)
        self._call_decode = timed_if(stopwatch, "source decode", call_adapter)
        self._bridge = graph.source.bridge or SOURCE
        self._enveloped = graph.source.payload.enveloped
        self._room = min(limits.max_records, FIRST_BATCH_RECORDS)
        #: Whether the last read gave less than it was asked for: the next one may have to wait.
        self.was_short = False
        self._number = 0
        self._next = 1
        #: What a read gave, and how much of it has been passed on: more than it was asked for.
        self._over: tuple[Sequence[Any], int] | None = None
        self._readings: dict[int, _Reading] = {}
        # Reentrant: a signal may be handled in the middle of any of the three that take it.
        self._lock = threading.RLock()
        #: Held while the source is interrupted, which may block: :meth:`close` waits for a second.
        self._interrupting = threading.Lock()
        self._has_waited = False
        self._is_open = self._interrupted = False
        #: In a read; broken out of it; left behind in it, where what it may still bring is dropped.
        self._is_reading = self._is_left = self._is_cut = False
        #: Whether an interrupt is the end of the input, which is complete then, and no cut.
        self._ends_by_interrupt = graph.source.unbounded

    @property
    def ends(self) -> bool:
        """Whether it is interrupted, and all that it gave has been passed on: no read follows."""
        return self._interrupted and self._over is None

    def open(self) -> None:
        """Open the source."""
        call_adapter(SOURCE, "open", optional_method(self._source, "open"))
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
        self._number += 1
        if ended:
            if self._interrupted and self._ends_by_interrupt:
                self._await_interrupt()  # which may fail
            return self._final(self._number, first), ()
        return self._batch(self._number, first, payloads, start)

    def cut(self, number: int, last: int) -> list[tuple[Batch, Sequence[Any]]]:
        """The end of the input behind this batch and record, of a source that reads on and on.

        What a generator has given within that read comes before the final batch. For the thread
        that leaves the reading one behind; what its read may still bring is dropped. Nothing where
        the source is in no read: it begins no other, and whoever reads comes to the end of what it
        has given.

        :raises NodeOutputError: where an envelope says something that is no text.
        """
        with self._lock:
            self._interrupted = True  # it may not have come to that: no thread could be had for it
            if not self._is_reading:
                return []
            self._is_cut = True
            held = self._held()
        if not held:
            return [(self._final(number + 1, last + 1), ())]
        end = self._final(number + 2, last + 1 + len(held))
        return [self._batch(number + 1, last + 1, held, time.time_ns()), (end, ())]

    def interrupt(self) -> None:
        """End the input here, or, before :meth:`open`, at once. Safe in any thread."""
        with self._lock:
            self._interrupted = True
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
            self._interrupted = self._is_left = True
            raise _Left

    def close(self) -> None:
        """Close the source; to interrupt it has no effect any more.

        An interrupt that is under way is waited for, but for no longer than a second.
        """
        with self._lock:
            self._is_open = False
        self._await_interrupt()
        call_adapter(SOURCE, "close", optional_method(self._source, "close"))

    def trace(self, tracer: Tracer, batch: Batch, *, branching: bool) -> None:
        """Record the spans of a batch's reading, once."""
        reading = self._readings.pop(batch.number, None)
        if reading is not None:
            records = (((n,) if branching else n, given) for n, given in reading.records)
            tracer.read(records, reading.times, reading.callers)

    def _final(self, number: int, first: int) -> Batch:
        complete = self._ends_by_interrupt or not self._interrupted
        return Batch(number, first, first - 1, final=True, complete=complete)

    def _batch(
        self, number: int, first: int, payloads: Sequence[Any], start: int
    ) -> tuple[Batch, Sequence[Any]]:
        """Payloads as a batch, and the note of their reading, where some are sampled."""
        callers: Callers = {}
        if self._enveloped:
            payloads, callers = call_adapter(self._bridge, "decode", called, payloads, first)
        batch = Batch(number, first, first + len(payloads) - 1)
        batch.sampled = self._sampled(first, batch.last, callers)
        if self._sampling and batch.sampled:
            self._note(batch, payloads, (start, time.time_ns()), callers)
        return batch, payloads

    def _await_interrupt(self) -> None:
        """Wait for an interrupt that is under way: once, and for a second at most."""
        if not self._has_waited and self._interrupting.acquire(timeout=_INTERRUPT_SECONDS):
            self._interrupting.release()
        self._has_waited = True

    def _payloads(self) -> tuple[bool, Sequence[Any]]:
        """Whether the input has ended; else the next payloads, no more than there is room for."""
        if self._over is None and not self._fetch():
            return True, ()
        given, begin = self._over or ((), 0)
        room = self._room
        end = begin + room
        self._over = (given, end) if end < len(given) else None
        payloads = given[begin:end] if begin or self._over else given
        self.was_short = len(payloads) < room
        if 2 * len(payloads) > room:
            self._room = min(self._limits.max_records, 2 * room)
        return False, payloads

    def _fetch(self) -> bool:
        """Read once; whether there was anything."""
        try:
            return self._fetched()
        except AdapterFailedError as error:
            after = self._next - 1 + len(self._held())
            raise AdapterFailedError(
                error.adapter, error.action, error.cause_type, error.problem, after
            ) from error.__cause__

    def _fetched(self) -> bool:
        try:
            with self._lock:
                if self._interrupted:
                    return False
                self._is_reading = True
            raw = self._call_read(
                SOURCE, "read", self._source.read, self._room, self._limits.max_bytes
            )
            with self._lock:  # what it gave is either cut's or this thread's
                self._is_reading = False
                if self._is_cut:
                    return False
                self._take()
        except (_Left, AdapterFailedError):
            if not self._is_left:
                self._is_reading = False  # its failure is the end, and no cut
                raise
            held = self._take()
            self._over = (held, 0) if held else None
            return bool(held)
        if call_adapter(SOURCE, "read", is_empty, raw):
            return False
        if self._decode is not None:
            raw = self._call_decode(self._bridge, "decode", self._decode, raw)
        self._over = call_adapter(self._bridge, "decode", listed, raw), 0
        return True

    def _held(self) -> Sequence[Any]:
        """What a generator has given within the read that is under way."""
        return self._generator.held() if self._generator else ()

    def _take(self) -> Sequence[Any]:
        """The same, which is held no longer."""
        return self._generator.take() if self._generator else ()

    def _sampled(self, first: int, last: int, callers: Callers) -> frozenset[int]:
        """The sampled of these: by the ratio, but for those of which their caller has decided.

        A caller's decision holds also where nothing is traced here, since it is passed on.
        """
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
