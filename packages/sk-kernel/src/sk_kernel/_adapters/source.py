"""Driving a source: read it in batches and number its records."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from sk_kernel._adapters.callers import Callers, called
from sk_kernel._adapters.calls import call_adapter
from sk_kernel._adapters.source_reader import SourceReader
from sk_kernel._batch.batch import Batch
from sk_kernel._graph.graph import SOURCE, Graph
from sk_kernel._measure.stopwatch import Stopwatch
from sk_kernel._record.envelope import Envelope
from sk_kernel._record.ids import TraceIds
from sk_kernel._trace.observe import Times, Tracer
from sk_kernel.errors import AdapterFailedError

#: The most records in the first batch. After a batch that was more than half full, the next may
#: have twice as many: a short input is divided among the groups, a long one has few batches.
FIRST_BATCH_RECORDS = 1000


class BatchLimits(msgspec.Struct, frozen=True):
    """The limits of a batch, and how many batches may be between source and sink.

    If ``max_records`` is over 1000, the first batches are smaller.
    """

    max_records: int = 1000
    max_bytes: int = 1 << 20
    in_flight: int = 16


class _Reading(NamedTuple):
    """The data for the spans of reading a batch.

    ``records`` has the sampled sequence numbers, each with the trace id of its envelope, if any.
    """

    records: list[tuple[int, str | None]]
    times: Times
    callers: Callers


class SourceDriver:
    """Reads the source batch by batch and numbers the records from 1.

    One thread reads; :meth:`interrupt` may be called from any thread, :meth:`trace` from another
    one.

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
        self._reader = SourceReader(graph, source, stopwatch)
        self._limits, self._ids, self._sampling = limits, ids, sampling
        self._bridge = graph.source.bridge or SOURCE
        self._enveloped = graph.source.payload.enveloped
        self._room = min(limits.max_records, FIRST_BATCH_RECORDS)
        #: Whether the last read returned fewer records than requested: the next one may block.
        self.was_short = False
        self._number = 0
        self._next = 1
        #: A read that returned more than requested, and how many of its records were passed on.
        self._over: tuple[Sequence[Any], int] | None = None
        self._readings: dict[int, _Reading] = {}

    @property
    def ends(self) -> bool:
        """Whether the source is interrupted and all its records were passed on: no read follows."""
        return self._reader.interrupted and self._over is None

    def read(self) -> tuple[Batch, Sequence[Any]]:
        """Return the next batch and its payloads; at the end of input, an empty final batch.

        :raises AdapterFailedError: when the source raised.
        """
        start = time.time_ns()
        ended, payloads = self._payloads()
        first, self._next = self._next, self._next + len(payloads)
        self._number += 1
        if ended:
            if self._reader.interrupted and self._reader.is_complete:
                self._reader.await_interrupt()  # may raise
            return self._final(self._number, first), ()
        return self._batch(self._number, first, payloads, start)

    def cut(self, number: int, last: int) -> list[tuple[Batch, Sequence[Any]]]:
        """End the input after this batch and record, although the source is still in a read.

        Return the final batch, preceded by the records that a generator has yielded in that read.
        The caller abandons the reading thread; whatever its read still returns is dropped. Return
        nothing if the source is in no read: it begins no other, and the reader reaches the end by
        itself.

        :raises NodeOutputError: when an envelope has metadata that is not text.
        """
        held = self._reader.cut()
        if held is None:
            return []
        if not held:
            return [(self._final(number + 1, last + 1), ())]
        end = self._final(number + 2, last + 1 + len(held))
        return [self._batch(number + 1, last + 1, held, time.time_ns()), (end, ())]

    def open(self) -> None:
        """See :meth:`SourceReader.open`."""
        self._reader.open()

    def interrupt(self) -> None:
        """See :meth:`SourceReader.interrupt`. Any thread."""
        self._reader.interrupt()

    def leave(self) -> None:
        """See :meth:`SourceReader.leave`."""
        self._reader.leave()

    def close(self) -> None:
        """See :meth:`SourceReader.close`."""
        self._reader.close()

    def trace(self, tracer: Tracer, batch: Batch, *, branching: bool) -> None:
        """Record the spans of reading a batch, once."""
        reading = self._readings.pop(batch.number, None)
        if reading is not None:
            records = (((n,) if branching else n, given) for n, given in reading.records)
            tracer.read(records, reading.times, reading.callers)

    def _final(self, number: int, first: int) -> Batch:
        complete = self._reader.is_complete
        return Batch(number, first, first - 1, final=True, complete=complete)

    def _batch(
        self, number: int, first: int, payloads: Sequence[Any], start: int
    ) -> tuple[Batch, Sequence[Any]]:
        """Make a batch of the payloads; if some are sampled, note the data for their spans."""
        callers: Callers = {}
        if self._enveloped:
            payloads, callers = call_adapter(self._bridge, "decode", called, payloads, first)
        batch = Batch(number, first, first + len(payloads) - 1)
        batch.sampled = self._sampled(first, batch.last, callers)
        if self._sampling and batch.sampled:
            self._note(batch, payloads, (start, time.time_ns()), callers)
        return batch, payloads

    def _payloads(self) -> tuple[bool, Sequence[Any]]:
        """Return whether the input has ended, and the next payloads, at most ``_room``."""
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
        """Read once; return whether there was input."""
        try:
            given = self._reader.read(self._room, self._limits.max_bytes)
        except AdapterFailedError as error:
            after = self._next - 1 + len(self._reader.held())
            raise AdapterFailedError(
                error.adapter, error.action, error.cause_type, error.problem, after
            ) from error.__cause__
        self._over = None if given is None else (given, 0)
        return given is not None

    def _sampled(self, first: int, last: int, callers: Callers) -> frozenset[int]:
        """Return the sampled numbers: chosen by ratio, except where the caller's trace has decided.

        A caller's decision holds even if this run traces nothing, since it is passed on.
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
