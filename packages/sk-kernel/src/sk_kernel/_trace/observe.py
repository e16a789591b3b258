"""Trace single records for the observers of a run; without an observer none of this runs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from sk_kernel._batch.batch import Batch, Rows, Section
from sk_kernel._batch.sampled import SPANS, SampledRows
from sk_kernel._graph.graph import Edge
from sk_kernel._graph.plan import ExecutionPlan
from sk_kernel._measure.stopwatch import Stopwatch
from sk_kernel._record.envelope import NO_CORRELATION, Correlation, Key, root_of
from sk_kernel._record.ids import TraceIds
from sk_kernel._record.trace_context import TraceParent, write_traceparent
from sk_kernel._trace.hops import MOST_LINKS, Arrival, End, Hops, Parcel, Sending
from sk_kernel._trace.span import NodeObserver, NodeSpan
from sk_kernel._trace.span_columns import SpanColumns, handed
from sk_kernel._trace.span_maker import Given, Passages, SpanMaker
from sk_kernel._trace.span_tables import groups_before
from sk_kernel.errors import NodeFailedError, RunError

#: A start and an end, in nanoseconds since the epoch.
Times = tuple[int, int]

#: Spans are handed over after a batch once ``MOST_NOTED`` passages are noted, or the first has
#: waited for ``LONGEST_NS`` nanoseconds: this bounds what a killed process loses. One batch may
#: have more; an observer receives at most ``MOST_HANDED`` spans per call.
MOST_NOTED: Final = 2048
MOST_HANDED: Final = 8192
LONGEST_NS: Final = 1_000_000_000

#: The methods of a :class:`Tracer` that are called for batches and hops, and are timed.
_ONCE_A_BATCH: Final = (
    "read",
    "ran_on",
    "ran_along",
    "received",
    "sent",
    "settle",
    "rest",
    "flush",
)

_NO_CALLERS: Mapping[int, TraceParent] = {}


class _Settled(NamedTuple):
    """The notes of a segment on a batch: passages, and the arrival if it came from other workers.

    ``end_ns`` is when the segment finished the batch; None if it has not yet.
    """

    passages: Sequence[Passages]
    arrival: Arrival | None
    end_ns: int | None


class _Sent(NamedTuple):
    """The notes of a sending, with its sampled records, to whose spans its span is linked."""

    sending: Sending
    given: Sequence[Given]


class Tracer:
    """Makes the spans of one process's vertices and hops, and hands them to the observers.

    While nodes run, this only takes notes. Spans are made from the notes of several batches at
    once, since code that runs only now and then finds cold caches: for 20 records in a batch of
    2 000 it takes several times as long as for many batches at once.

    :param stopwatch: measures the work done here once per batch; without one nothing is measured.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        ids: TraceIds,
        observers: Sequence[NodeObserver],
        stopwatch: Stopwatch | None = None,
    ) -> None:
        self._observers = observers
        #: Finds the sampled rows of a batch.
        self.rows = SampledRows(stopwatch)
        self._hops, self._maker = Hops(plan, ids, self.rows), SpanMaker(plan, ids)
        self._before, self._group_of = groups_before(plan), plan.group_of
        self._passages: list[Passages] = []
        self._arrival: Arrival | None = None
        self._notes: list[_Settled | _Sent | NodeSpan] = []
        self._noted, self._since = 0, 0
        #: Errors of passages that were noted without one: the type of each.
        self._causes: dict[tuple[str, Key], str] = {}
        if stopwatch is not None:
            for name in _ONCE_A_BATCH:
                setattr(self, name, stopwatch.timed(SPANS, getattr(self, name)))

    @property
    def holds(self) -> bool:
        """Whether there are notes to :meth:`flush`."""
        return bool(self._notes or self._passages)

    def ran(
        self, batch: Batch, edge: Edge, key: Key, times: Times, error: str | None = None
    ) -> None:
        """Note that the consumer of ``edge`` ran on the record ``key``, which came over it."""
        keys, (start, end) = (key,), times
        self._passages.append((edge, keys, _known(batch, keys), (start,), (end,), error))

    def ran_on(
        self,
        batch: Batch,
        rows: Rows,
        starts: Sequence[int],
        ends: Sequence[int],
    ) -> None:
        """Note that a vertex ran on the sampled ones of these rows, on the first ``len(ends)``."""
        if len(rows.columns) > 1:
            traced = self.rows(rows.keys, batch.sampled)
            for row, start, end in zip(traced, starts, ends, strict=False):
                self.ran(batch, rows.edge(row), rows.keys[row], (start, end))
            return
        keys = self.rows.keys(rows.keys, batch.sampled)
        self.ran_along(batch, rows.columns[0].edge, keys, starts, ends)

    def ran_along(
        self,
        batch: Batch,
        edge: Edge,
        keys: Sequence[Key],
        starts: Sequence[int],
        ends: Sequence[int],
    ) -> None:
        """Note that the consumer of ``edge`` ran on the first ``len(ends)`` sampled records."""
        self._passages.append((edge, keys, _known(batch, keys), starts, ends, None))

    def read(
        self,
        records: Iterable[tuple[Key, str | None]],
        times: Times,
        callers: Mapping[int, TraceParent] = _NO_CALLERS,
    ) -> None:
        """Note that the source emitted these records.

        :param records: their keys, each with the trace id that its envelope set, if any.
        :param callers: the parsed ``traceparent`` of those that have one, by sequence number.
        """
        pairs = list(records)
        keys = [key for key, _ in pairs]
        known: list[Correlation] | None = None
        if callers or any(given for _, given in pairs):
            about = [_said(given, callers.get(root_of(key))) for key, given in pairs]
            known = about if about.count(NO_CORRELATION) < len(about) else None
        starts, ends = ([time_ns] * len(keys) for time_ns in times)
        self._passages.append((None, keys, known, starts, ends, None))

    def failed(self, batch: Batch, vertex: str, key: Key, error: str) -> None:
        """Note that a record that is not sampled failed in a vertex: it gets one span, no parent.

        The span has no duration, since the start of the vertex's call was not noted.
        """
        given, before = batch.correlation(key).trace_id, self._before[vertex]
        came_from = next(iter(before)) if len(before) == 1 else self._group_of[vertex]
        now = time.time_ns()
        self._put_by(None)
        self._note(self._maker.alone(vertex, key, given, now, error, came_from))

    def blame(self, batch: Batch, error: RunError) -> None:
        """Note that this error ends the run or a request: if it has a record, a span shows it."""
        vertex, key = getattr(error, "node", ""), error.record
        if vertex not in self._before or key is None or root_of(key) > batch.last:
            return
        cause = error.cause_type if isinstance(error, NodeFailedError) else type(error).__name__
        if root_of(key) not in batch.sampled:
            self.failed(batch, vertex, key, cause)
            return
        self._causes.setdefault((vertex, key), cause)

    def received(self, batch: Batch, to: End, parcels: Iterable[Parcel]) -> None:
        """Note that a segment begins a batch that other workers sent; :meth:`settle` ends it."""
        if batch.sampled:
            self._arrival = self._hops.takes(batch, to, parcels, time.time_ns())

    def sent(
        self, batch: Batch, by: End, to: End, sections: Sequence[Section], began_ns: int
    ) -> None:
        """Note that a segment has sent these sections of a batch to another worker."""
        if not batch.sampled or self._hops.stays(by, to):
            return
        if given := self._given(batch, sections):
            count, now = sum([len(section.items) for section in sections]), time.time_ns()
            sending = Sending(batch.number, batch.first, by, to, count, (began_ns, now))
            self._note(_Sent(sending, given))

    def settle(self) -> None:
        """Note that a segment has finished its batch, but not yet sent it on."""
        if self._passages or self._arrival:
            self._put_by(time.time_ns())
            self._arrival = None

    def rest(self) -> None:
        """After a batch, hand the spans over if there are many or the first has waited long."""
        self.settle()
        self.rows.forget()
        if self._notes and (
            self._noted >= MOST_NOTED or time.monotonic_ns() - self._since >= LONGEST_NS
        ):
            self.flush()

    def flush(self) -> None:
        """Hand all spans over to the observers, however few."""
        self.settle()
        held = list(handed(self._made(), MOST_HANDED))
        self._causes.clear()
        self._maker.forget()
        self.rows.forget()
        for some in held:
            for observer in self._observers:
                observer.on_spans(some)

    def close(self) -> None:
        """Flush and close the observers."""
        self.flush()
        for observer in self._observers:
            observer.close()

    def _put_by(self, end_ns: int | None) -> None:
        """Store the passages noted since the last call; ``end_ns`` is None if the batch goes on."""
        passages, self._passages = self._passages, []
        if passages or end_ns:
            self._noted += sum([len(keys) for _, keys, *_ in passages])
            self._note(_Settled(passages, self._arrival, end_ns))

    def _note(self, note: _Settled | _Sent | NodeSpan) -> None:
        if not self._notes:
            self._since = time.monotonic_ns()  # the wall clock may be set back
        self._noted += 1
        self._notes.append(note)

    def _made(self) -> Iterator[SpanColumns | NodeSpan]:
        """Make and yield the spans of all notes."""
        notes, self._notes, self._noted = self._notes, [], 0
        maker, hops, causes = self._maker, self._hops, self._causes
        for note in notes:
            if isinstance(note, _Settled):
                passages, arrival, end_ns = note
                yield from maker.columns(passages, hops.link(arrival) if arrival else None, causes)
                if arrival and end_ns:
                    yield hops.processed(arrival, end_ns)
            elif isinstance(note, _Sent):
                yield hops.sent(note.sending, maker.links(note.given, MOST_LINKS))
            else:
                yield note

    def _given(self, batch: Batch, sections: Iterable[Section]) -> list[Given]:
        """Return the sampled records of these sections, by producer."""
        given: list[Given] = []
        for section in sections:
            if keys := self.rows.keys(section.keys, batch.sampled):
                given.append((section.producer, keys, _known(batch, keys)))
        return given


def _said(given: str | None, caller: TraceParent | None) -> Correlation:
    """Return a record's trace id from its envelope, and its ``traceparent``, as a correlation."""
    own = Correlation(given) if given else NO_CORRELATION
    if caller is None:
        return own
    parent = write_traceparent(caller.trace_id, caller.span_id, sampled=caller.sampled)
    return replace(own, caller=parent)


def _known(batch: Batch, keys: Sequence[Key]) -> Sequence[Correlation] | None:
    known = batch.correlations
    return [known.get(key, NO_CORRELATION) for key in keys] if known else None
