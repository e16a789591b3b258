"""The work of one worker: batches in from source and hub, through its segments, and out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sk_kernel import (
    SINK,
    SOURCE,
    ApplicationContext,
    Batch,
    Container,
    ExecutionPlan,
    Identity,
    Losses,
    Progress,
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
from sk_supervisor._frames import BatchHeader, batch_of, sampled_mark
from sk_supervisor._inbox import Arrived
from sk_supervisor._outlet import Outlet
from sk_supervisor._peers import index_of, place_of, places_of


class Engine:
    """Runs a group's segments. Used from the worker's main thread only.

    :param outlet: sends batches and acknowledgements to the hub.
    :param letters: the folder that dead letters are written into, if there can be any.
    :param resumed: this worker takes the place of one that has failed.
    """

    def __init__(
        self,
        application: ApplicationContext,
        plan: ExecutionPlan,
        container: Container,
        identity: Identity,
        outlet: Outlet,
        *,
        tracer: Tracer | None,
        max_payload_bytes: int,
        letters: str = "",
        resumed: bool = False,
    ) -> None:
        self._plan, self._outlet, self._index = plan, outlet, identity.worker
        self._segments = plan.of_group(identity.group)
        self._own_place = place_of(outlet.worker_id)
        self._codec = WireCodec(plan.graph)
        self._max_payload = max_payload_bytes
        own = [name for segment in self._segments for name in segment.vertices]
        self.sink: SinkDriver | None = None
        if SINK in own:
            self.sink = SinkDriver(plan.graph, application.make_sink(container))
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
                losses=Losses(identity, letter_part(letters, outlet.worker_id, segment.index)),
            )
            for segment in self._segments
        }
        self._aligners: dict[int, Aligner[tuple[Batch, list[Section]]]] = {
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
        index = self._plan.segment_of(SOURCE).index
        departures = self._runners[index].read(batch, payloads)
        self._sent_on(index, batch, departures)
        self._account(batch.last, batch.number - batch.final)
        self._run_ready()

    def arrive(self, arrived: Arrived) -> None:
        """Take a frame; run whatever batches are whole by it.

        :raises AlignmentError: when the frame does not belong where it says.
        """
        header = arrived.header
        batch = batch_of(header, final=arrived.final)
        sections = self._codec.decode(batch, arrived.payload)
        aligner = self._aligners[header.target_segment]
        aligner.add(
            header.epoch,
            (header.source_segment, index_of(header.sender)),
            (batch, sections),
            more=header.more,
            sender=header.sender,
        )
        self._run_ready()

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
        # An abort is the last word, even where it fails; a commit that fails is still aborted.
        assert self.sink is not None  # noqa: S101 - only called where it is
        self._sink_is_open = complete
        self.sink.end(complete=complete)
        self._sink_is_open = False

    def _run_ready(self) -> None:
        again = True
        while again:
            again = False
            for index, aligner in self._aligners.items():
                for _, parts in aligner.ready():
                    self._run(index, parts)
                    again = True

    def _run(self, index: int, parts: list[tuple[Batch, list[Section]]]) -> None:
        batch = parts[0][0]
        for other, _ in parts[1:]:
            batch.correlations.update(other.correlations)
        sections = [section for _, several in parts for section in several]
        if batch.final:
            self.complete = batch.complete
        departures = self._runners[index].run(batch, sections)
        self._sent_on(index, batch, departures)
        self._account(batch.last, batch.number - batch.final)

    def _sent_on(self, index: int, batch: Batch, departures: dict[int, list[Section]]) -> None:
        segment = self._plan.segments[index]
        self._passed_on += sum(len(s.items) for several in departures.values() for s in several)
        if batch.final:
            self._unfinished.discard(index)
            if SINK in segment.vertices:
                self._end_sink(complete=batch.complete)
        for target in segment.downstream:
            parts = self._splitters[target].split(batch.number, departures.get(target, []))
            for place, sections in zip(self._places[target], parts, strict=True):
                if place == self._own_place:
                    upstream, part = (index, self._index), (batch, sections)
                    self._aligners[target].add(batch.number, upstream, part, more=False)
                else:
                    self._send(index, target, place, batch, sections)
        if not segment.downstream:
            self._outlet.acknowledge(index, batch.number)

    def _upstream_of(self, segment: Segment) -> list[tuple[int, int]]:
        """Every worker of every segment that sends to this one."""
        workers = {i: self._plan.segments[i].workers for i in segment.upstream}
        return [(i, index) for i, several in workers.items() for index in range(several)]

    def _send(
        self, source: int, target: int, place: str, batch: Batch, sections: list[Section]
    ) -> None:
        payloads = self._codec.encode(batch, sections, self._max_payload)
        for i, payload in enumerate(payloads, 1):
            header = BatchHeader(
                sender=self._outlet.worker_id,
                receiver=self._outlet.worker_at(place),
                run_id=self._outlet.run_id,
                scenario_id=self._outlet.scenario_id,
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
            self._outlet.send(header, payload, final=batch.final)

    def _account(self, records: int, batches: int) -> None:
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
        )
