"""The work of one worker: batches in from source and hub, through its segments, and out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from sk_kernel import (
    SINK,
    SOURCE,
    ApplicationContext,
    Batch,
    Container,
    ExecutionPlan,
    Identity,
    Losses,
    Meter,
    Parcel,
    Progress,
    RunError,
    Section,
    Segment,
    SegmentRunner,
    SinkDriver,
    Splitter,
    Tracer,
    WireCodec,
    letter_part,
    needs_loop,
)

from sk_supervisor._align import Aligner
from sk_supervisor._data_plane import DataPlaneChannel
from sk_supervisor._frames import BatchHeader, batch_of, sampled_mark
from sk_supervisor._inbox import BatchArrived, RequestArrived
from sk_supervisor._peers import index_of, place_of, places_of
from sk_supervisor._responder import Responder

if TYPE_CHECKING:  # a run that measures nothing starts without it
    from sk_supervisor._profile import Profiler


class Engine:
    """Runs a group's segments. Used from the worker's main thread only.

    :param data_plane: sends batches and acknowledgements to the hub.
    :param letters: the folder that dead letters are written into, if there can be any.
    :param resumed: this worker takes the place of one that has failed.
    :param meter: hears of each batch that is worked off.
    :param profiler: measures what a batch takes, part by part; without one nothing is measured.
    """

    def __init__(
        self,
        application: ApplicationContext,
        plan: ExecutionPlan,
        container: Container,
        identity: Identity,
        data_plane: DataPlaneChannel,
        *,
        tracer: Tracer | None,
        max_payload_bytes: int,
        letters: str = "",
        resumed: bool = False,
        meter: Meter | None = None,
        profiler: Profiler | None = None,
    ) -> None:
        self._meter, self._tracer = meter or Meter(), tracer
        self._plan, self._data_plane, self._index = plan, data_plane, identity.worker
        self._segments = plan.of_group(identity.group)
        self._own_place = place_of(data_plane.worker_id)
        codec = WireCodec(plan.graph)
        self._codec: WireCodec = profiler.encoding(codec) if profiler else codec
        self._max_payload = max_payload_bytes
        own = [name for segment in self._segments for name in segment.vertices]
        self.sink: SinkDriver | None = None
        if SINK in own:
            sink = application.make_sink(container)
            self.sink = SinkDriver(
                plan.graph, profiler.main.around_sink(sink) if profiler else sink
            )
        self._loop = asyncio.Runner() if needs_loop(plan.graph, own) else None
        self._runners = {
            segment.index: SegmentRunner(
                application,
                plan,
                segment,
                container,
                identity,
                tracer=tracer,
                write=self.sink.write if self.sink else None,
                loop=self._loop,
                losses=Losses(identity, letter_part(letters, data_plane.worker_id, segment.index)),
                stopwatch=profiler.main if profiler else None,
            )
            for segment in self._segments
        }
        self._aligners: dict[int, Aligner[tuple[Batch, Parcel]]] = {
            s.index: Aligner(self._upstream_of(s), resumed=resumed)
            for s in self._segments
            if s.upstream
        }
        self._places = places_of(plan)
        self._splitters = [Splitter(s.key, s.workers) for s in plan.segments]
        self._unfinished = set(self._runners)
        self._sink_is_open = False
        self._passed_on = 0
        self.complete = True
        self.responder = Responder(plan, self._runners, data_plane, max_payload_bytes)
        self.progress = Progress(identity.group, state="running")

    @property
    def drained(self) -> bool:
        """Whether every segment has passed the end of input on."""
        return not self._unfinished

    def open_sink(self) -> None:
        """Open the sink, which is here.

        :raises AdapterFailedError: when it cannot be.
        """
        assert self.sink is not None  # noqa: S101 - the caller has looked
        self.sink.open()
        self._sink_is_open = True

    def read(self, batch: Batch, payloads: Sequence[object]) -> None:
        """Run a batch of the source."""
        began = time.perf_counter()
        index = self._plan.segment_of(SOURCE).index
        departures = self._runners[index].read(batch, payloads)
        self._sent_on(index, batch, departures)
        self._account(batch.last, batch.number - batch.final)
        if not batch.final:
            self._meter.worked_off(len(payloads), time.perf_counter() - began)
        self._run_ready()

    def arrive(self, arrived: BatchArrived) -> None:
        """Take a frame; run whatever batches are whole by it.

        :raises AlignmentError: when the frame does not belong where it says.
        :raises HeaderError: when it marks records that are not its own.
        """
        header = arrived.header
        batch = batch_of(header, final=arrived.final)
        upstream = header.source_segment, index_of(header.sender)
        parcel = Parcel(upstream, self._codec.decode(batch, arrived.payload))
        aligner = self._aligners[header.target_segment]
        aligner.add(
            header.epoch,
            upstream,
            (batch, parcel),
            more=header.more,
            sender=header.sender,
        )
        self._run_ready()

    def ask(self, asked: RequestArrived) -> None:
        """Take a frame of requests.

        :raises WireError, DeadLetterError, TransportError: what ends this worker.
        """
        self.responder.take(asked)
        self.progress = msgspec.structs.replace(self.progress, requests=self.responder.answered)

    def end(self) -> None:
        """Close the event loop, and abort a sink that is open still.

        :raises AdapterFailedError: when it cannot be aborted.
        """
        if self._loop is not None:
            self._loop.close()
            self._loop = None
        if self._sink_is_open:
            self._end_sink(complete=False)

    def _end_sink(self, *, complete: bool) -> None:
        """Commit the sink, or abort it."""
        # An abort is the last word, even where it fails; a commit that fails is still aborted.
        assert self.sink is not None  # noqa: S101 - only called where it is
        self._sink_is_open = complete
        self.sink.end(complete=complete)
        self._sink_is_open = False

    def _run_ready(self) -> None:
        """Run every batch all of whose parts are here; what comes of one may complete another."""
        again = True
        while again:
            again = False
            for index, aligner in self._aligners.items():
                for _, parts in aligner.ready():
                    self._run(index, parts)
                    again = True

    def _run(self, index: int, parts: list[tuple[Batch, Parcel]]) -> None:
        """Run a batch through a segment; its parts are those of the workers upstream."""
        began = time.perf_counter()
        batch = parts[0][0]
        for other, _ in parts[1:]:
            batch.correlations.update(other.correlations)
        sections = [section for _, parcel in parts for section in parcel.sections]
        if self._tracer is not None:
            self._tracer.received(batch, (index, self._index), [parcel for _, parcel in parts])
        departures = self._runners[index].run(batch, sections)
        self._sent_on(index, batch, departures)
        self._account(batch.last, batch.number - batch.final)
        records = sum(len(section.items) for section in sections)
        # The end of input is no batch, but where nodes that finished have put records into it.
        if records or not batch.final:
            self._meter.worked_off(records, time.perf_counter() - began)

    def _sent_on(self, index: int, batch: Batch, departures: dict[int, list[Section]]) -> None:
        """Send what a segment has made of a batch to those downstream, of whom some may be here.

        A segment without any acknowledges the batch instead.
        """
        segment = self._plan.segments[index]
        self._passed_on += sum(len(s.items) for several in departures.values() for s in several)
        if batch.final:
            self.complete = batch.complete
            self._unfinished.discard(index)
            if SINK in segment.vertices:
                self._end_sink(complete=batch.complete)
        for target in segment.downstream:
            parts = self._splitters[target].split(batch.number, departures.get(target, []))
            for place, sections in zip(self._places[target], parts, strict=True):
                if place == self._own_place:
                    parcel = Parcel((index, self._index), sections)
                    part = batch, parcel
                    self._aligners[target].add(batch.number, parcel.by, part, more=False)
                else:
                    self._send(index, target, place, batch, sections)
        if not segment.downstream:
            self._data_plane.acknowledge(index, batch.number)
        if self._tracer is not None:
            (self._tracer.flush if batch.final else self._tracer.rest)()

    def _upstream_of(self, segment: Segment) -> list[tuple[int, int]]:
        """Every worker of every segment that sends to this one."""
        workers = {i: self._plan.segments[i].workers for i in segment.upstream}
        return [(i, index) for i, several in workers.items() for index in range(several)]

    def _send(
        self, source: int, target: int, place: str, batch: Batch, sections: list[Section]
    ) -> None:
        """Send a batch's sections to the worker in a place, in as many frames as it takes."""
        began = time.time_ns()
        try:
            payloads = self._codec.encode(batch, sections, self._max_payload)
        except RunError as error:
            if self._tracer is not None:
                self._tracer.blame(batch, error)
            raise
        for i, payload in enumerate(payloads, 1):
            header = BatchHeader(
                sender=self._data_plane.worker_id,
                receiver=self._data_plane.worker_at(place),
                run_id=self._data_plane.run_id,
                scenario_id=self._data_plane.scenario_id,
                epoch=batch.number,
                first=batch.first,
                last=batch.last,
                source_segment=source,
                target_segment=target,
                route_hop=self._plan.segments[target].depth,
                more=i < len(payloads),
                complete=batch.complete,
                sampled=sampled_mark(batch),
            )
            self._data_plane.send(header, payload, final=batch.final)
        if self._tracer is not None:
            to = target, self._places[target].index(place)
            self._tracer.sent(batch, (source, self._index), to, sections, began)

    def _account(self, records: int, batches: int) -> None:
        """Note how far the work has come: after so many records of the source, and batches."""
        passed_on = self.sink.records if self.sink else self._passed_on
        lost = [runner.losses for runner in self._runners.values()]
        self.progress = Progress(
            self.progress.group,
            records,
            passed_on,
            batches,
            "running",
            sum(losses.dead_lettered for losses in lost),
            sum(losses.skipped for losses in lost),
            self.responder.answered,
        )
