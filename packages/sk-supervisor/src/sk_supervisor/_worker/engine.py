"""The engine of a worker: runs batches from the source and the hub through its segments."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import msgspec
from sk_kernel import Progress
from sk_kernel.runtime import SINK, SOURCE, Batch, ExecutionPlan, Meter, Parcel, Section

from sk_supervisor._worker.downstream import Downstream
from sk_supervisor._worker.inbox import BatchArrived, Inbox
from sk_supervisor._worker.intake import Intake
from sk_supervisor._worker.responder import Responder
from sk_supervisor._worker.segments import Segments


class Engine:
    """Runs a group's segments, and counts records and batches. The worker's main thread only.

    :param meter: notes each batch that has been run.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        group: str,
        *,
        segments: Segments,
        intake: Intake,
        downstream: Downstream,
        responder: Responder,
        meter: Meter,
    ) -> None:
        self._segments, self._intake, self._downstream = segments, intake, downstream
        self._source_segment = plan.segment_of(SOURCE).index
        self._sink_segment = plan.segment_of(SINK).index
        self._unfinished = set(segments.runners)
        self._taken = self._passed_on = 0
        self._responder, self.meter = responder, meter
        #: Whether the input ended by itself and was not stopped; True while it has not ended.
        self.complete = True
        self.progress = Progress(group=group, state="running")

    @property
    def drained(self) -> bool:
        """Whether every segment has passed the end of input on."""
        return not self._unfinished

    def read(self, batch: Batch, payloads: Sequence[object]) -> None:
        """Run a batch of the source.

        :raises RunError: when a node failed on a record, or an adapter failed.
        :raises TransportError: when the hub is lost.
        """
        began = time.perf_counter()
        self._taken += len(payloads)
        departures = self._segments.runners[self._source_segment].read(batch, payloads)
        self._pass_on(self._source_segment, batch, departures)
        if not batch.final:
            self.meter.worked_off(time.perf_counter() - began)
        self._run_whole()

    def arrive(self, arrived: BatchArrived) -> None:
        """Take a frame, and run the batches that it completes.

        :raises AlignmentError, HeaderError: when the frame cannot belong here.
        :raises RunError: when a node failed on a record, or an adapter failed.
        :raises TransportError: when the hub is lost.
        """
        self._intake.arrive(arrived)
        self._run_whole()

    def answer(self, inbox: Inbox, enough: Callable[[], bool]) -> None:
        """Run some of the waiting requests, or wait for requests under way.

        :param enough: whether there is other work, so that this must not wait; called again
            whenever an item is put into the inbox.
        :raises DeadLetterError, TransportError: an error that ends this worker.
        """
        self._responder.work(inbox, enough)
        dead_lettered, skipped = self._segments.dropped_counts()
        self.progress = msgspec.structs.replace(
            self.progress,
            requests=self._responder.answered,
            dead_lettered=dead_lettered,
            skipped=skipped,
        )

    def _run_whole(self) -> None:
        for segment, batch, parcels in self._intake.whole():
            self._run(segment, batch, parcels)

    def _run(self, segment: int, batch: Batch, parcels: Sequence[Parcel]) -> None:
        """Run a batch through a segment."""
        began = time.perf_counter()
        sections = [section for parcel in parcels for section in parcel.sections]
        records = sum(len(section.items) for section in sections)
        self._taken += records
        departures = self._segments.runners[segment].run(batch, sections)
        self._pass_on(segment, batch, departures)
        # The end of input counts as a batch only if nodes emitted records when they finished.
        if records or not batch.final:
            self.meter.worked_off(time.perf_counter() - began)

    def _pass_on(
        self, segment: int, batch: Batch, departures: Mapping[int, Sequence[Section]]
    ) -> None:
        """Pass the output of a segment on to the segments downstream, here or in other workers."""
        self._passed_on += sum(len(s.items) for several in departures.values() for s in several)
        if batch.final:
            self.complete = batch.complete
            self._unfinished.discard(segment)
            if segment == self._sink_segment:
                self._segments.end_sink(complete=batch.complete)
        for target, parcel in self._downstream.send(segment, batch, departures):
            self._intake.stay(target, batch, parcel)
        self._account(batch.last, batch.number - batch.final)

    def _account(self, source_records: int, batches: int) -> None:
        """Update the progress, after this number of source records and batches."""
        dead_lettered, skipped = self._segments.dropped_counts()
        sink = self._segments.sink
        self.progress = Progress(
            group=self.progress.group,
            records_in=self._taken,
            records_out=sink.records if sink is not None else self._passed_on,
            batches=batches,
            state="running",
            dead_lettered=dead_lettered,
            skipped=skipped,
            requests=self._responder.answered,
            source_records=source_records,
        )
