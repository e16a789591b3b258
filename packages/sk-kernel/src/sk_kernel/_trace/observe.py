"""Spans of single records, for observers that are there; without one none of this runs."""

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

#: When something began and ended, in nanoseconds since the epoch.
Times = tuple[int, int]

#: Spans of so many passages of records are handed over at once, unless the first of them has waited
#: for so long: what a process that is killed takes with it. A batch may have more; none of an
#: observer's calls has.
MOST_NOTED: Final = 2048
MOST_HANDED: Final = 8192
LONGEST_NS: Final = 1_000_000_000

#: Of a :class:`Tracer`, what nodes, hops and batches call.
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
    """What was noted of a segment with a batch, and what it had taken of that from others.

    ``end_ns`` is when it was through; None while it is not.
    """

    passages: Sequence[Passages]
    arrival: Arrival | None
    end_ns: int | None


class _Sent(NamedTuple):
    """What was noted of a sending, and the sampled records in it, which its span is linked to."""

    sending: Sending
    given: Sequence[Given]


class Tracer:
    """Makes the spans of one process's vertices and hops, and hands them on, many at once.

    What runs is noted, and no more; spans are made of the notes of several batches, all in a row,
    since code that runs once in a while finds cold caches: at 20 records in a batch of 2 000 it
    takes several times as long as in a row.

    :param stopwatch: measures all that is done here once a batch; without one nothing is measured.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        ids: TraceIds,
        observers: Sequence[NodeObserver],
        stopwatch: Stopwatch | None = None,
    ) -> None:
        self._observers = observers
        #: The rows of a batch that are sampled.
        self.rows = SampledRows(stopwatch)
        self._hops, self._maker = Hops(plan, ids, self.rows), SpanMaker(plan, ids)
        self._before, self._group_of = groups_before(plan), plan.group_of
        self._passages: list[Passages] = []
        self._arrival: Arrival | None = None
        self._notes: list[_Settled | _Sent | NodeSpan] = []
        self._noted, self._since = 0, 0
        #: What passages that were noted without an error have failed by after all.
        self._causes: dict[tuple[str, Key], str] = {}
        if stopwatch is not None:
            for name in _ONCE_A_BATCH:
                setattr(self, name, stopwatch.timed(SPANS, getattr(self, name)))

    @property
    def holds(self) -> bool:
        """Whether there is something to :meth:`flush`."""
        return bool(self._notes or self._passages)

    def ran(
        self, batch: Batch, edge: Edge, key: Key, times: Times, error: str | None = None
    ) -> None:
        """The consumer of ``edge`` ran on the record ``key`` that came over it."""
        keys, (start, end) = (key,), times
        self._passages.append((edge, keys, _known(batch, keys), (start,), (end,), error))

    def ran_on(
        self,
        batch: Batch,
        rows: Rows,
        starts: Sequence[int],
        ends: Sequence[int],
    ) -> None:
        """A vertex ran on as many of the sampled among these rows as there are ends."""
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
        """The consumer of ``edge`` ran on as many of these sampled records as there are ends."""
        self._passages.append((edge, keys, _known(batch, keys), starts, ends, None))

    def read(
        self,
        records: Iterable[tuple[Key, str | None]],
        times: Times,
        callers: Mapping[int, TraceParent] = _NO_CALLERS,
    ) -> None:
        """The source gave these records, each with the trace id that its envelope has, if any.

        :param callers: what their ``traceparent`` said, by sequence number.
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
        """A record that is not sampled failed in a vertex: its one span, without a parent.

        When the vertex began with it nobody has noted: the span has no length.
        """
        given, before = batch.correlation(key).trace_id, self._before[vertex]
        came_from = next(iter(before)) if len(before) == 1 else self._group_of[vertex]
        now = time.time_ns()
        self._put_by(None)
        self._note(self._maker.alone(vertex, key, given, now, error, came_from))

    def blame(self, batch: Batch, error: RunError) -> None:
        """The run, or a request, ends with this error. If it is a record's, one span says so."""
        vertex, key = getattr(error, "node", ""), error.record
        if vertex not in self._before or key is None or root_of(key) > batch.last:
            return
        cause = error.cause_type if isinstance(error, NodeFailedError) else type(error).__name__
        if root_of(key) not in batch.sampled:
            self.failed(batch, vertex, key, cause)
            return
        self._causes.setdefault((vertex, key), cause)

    def received(self, batch: Batch, to: End, parcels: Iterable[Parcel]) -> None:
        """A segment begins with what other workers have sent of a batch; :meth:`settle` ends it."""
        if batch.sampled:
            self._arrival = self._hops.takes(batch, to, parcels, time.time_ns())

    def sent(
        self, batch: Batch, by: End, to: End, sections: Sequence[Section], began_ns: int
    ) -> None:
        """A segment has sent these sections of a batch to another worker."""
        if not batch.sampled or self._hops.stays(by, to):
            return
        if given := self._given(batch, sections):
            count, now = sum([len(section.items) for section in sections]), time.time_ns()
            sending = Sending(batch.number, batch.first, by, to, count, (began_ns, now))
            self._note(_Sent(sending, given))

    def settle(self) -> None:
        """A segment is through with its batch, which it has not sent on."""
        if self._passages or self._arrival:
            self._put_by(time.time_ns())
            self._arrival = None

    def rest(self) -> None:
        """A batch is done: hand the spans over, if there are many or the first has waited long."""
        self.settle()
        self.rows.forget()
        if self._notes and (
            self._noted >= MOST_NOTED or time.monotonic_ns() - self._since >= LONGEST_NS
        ):
            self.flush()

    def flush(self) -> None:
        """Hand the spans over, be they few."""
        self.settle()
        held = list(handed(self._told(), MOST_HANDED))
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
        """What was noted since the last time, as of a batch whose work ends here, or goes on."""
        passages, self._passages = self._passages, []
        if passages or end_ns:
            self._noted += sum([len(keys) for _, keys, *_ in passages])
            self._note(_Settled(passages, self._arrival, end_ns))

    def _note(self, note: _Settled | _Sent | NodeSpan) -> None:
        if not self._notes:
            self._since = time.monotonic_ns()  # the wall clock may be set back
        self._noted += 1
        self._notes.append(note)

    def _told(self) -> Iterator[SpanColumns | NodeSpan]:
        """The spans of what has been noted."""
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
        """What gave the sampled records, and these."""
        given: list[Given] = []
        for section in sections:
            if keys := self.rows.keys(section.keys, batch.sampled):
                given.append((section.producer, keys, _known(batch, keys)))
        return given


def _said(given: str | None, caller: TraceParent | None) -> Correlation:
    """What a record's envelope said of its trace."""
    own = Correlation(given) if given else NO_CORRELATION
    if caller is None:
        return own
    parent = write_traceparent(caller.trace_id, caller.span_id, sampled=caller.sampled)
    return replace(own, caller=parent)


def _known(batch: Batch, keys: Sequence[Key]) -> Sequence[Correlation] | None:
    known = batch.correlations
    return [known.get(key, NO_CORRELATION) for key in keys] if known else None
