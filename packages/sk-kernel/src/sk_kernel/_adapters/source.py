"""Driving a source: its records numbered, in batches."""

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

#: The first batch holds no more, and whenever one was more than half full the next may hold twice
#: as many: a short input is shared out among the groups, a long one has few batches.
FIRST_BATCH_RECORDS = 1000


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
        self._reader = SourceReader(graph, source, stopwatch)
        self._limits, self._ids, self._sampling = limits, ids, sampling
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

    @property
    def ends(self) -> bool:
        """Whether it is interrupted, and all that it gave has been passed on: no read follows."""
        return self._reader.interrupted and self._over is None

    def read(self) -> tuple[Batch, Sequence[Any]]:
        """The next batch and its payloads; the final batch, which has none, at the end of input.

        :raises AdapterFailedError: when the source raised.
        """
        start = time.time_ns()
        ended, payloads = self._payloads()
        first, self._next = self._next, self._next + len(payloads)
        self._number += 1
        if ended:
            if self._reader.interrupted and self._reader.is_complete:
                self._reader.await_interrupt()  # which may fail
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
        """Record the spans of a batch's reading, once."""
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
        """Payloads as a batch, and the note of their reading, where some are sampled."""
        callers: Callers = {}
        if self._enveloped:
            payloads, callers = call_adapter(self._bridge, "decode", called, payloads, first)
        batch = Batch(number, first, first + len(payloads) - 1)
        batch.sampled = self._sampled(first, batch.last, callers)
        if self._sampling and batch.sampled:
            self._note(batch, payloads, (start, time.time_ns()), callers)
        return batch, payloads

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
        """Read once; whether the input has not ended."""
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
