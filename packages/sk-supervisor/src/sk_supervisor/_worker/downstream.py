"""The output of a worker's segments, on its way to the segments downstream."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace
from sk_kernel import RunError
from sk_kernel.runtime import (
    Batch,
    ExecutionPlan,
    Parcel,
    Section,
    Splitter,
    TraceIds,
    Tracer,
    note_trace,
)

from sk_supervisor._protocol.frames import BatchHeader, SinkEnd, sampled_mark
from sk_supervisor._protocol.worker_ids import index_of, place_of, places_of
from sk_supervisor._worker.data_plane import DataPlaneChannel
from sk_supervisor._worker.segments import Segments


class Downstream:
    """Splits a batch by its keys, and sends each worker its part. The main thread only.

    :param segments: those of this worker, and the sink if it is in this worker.
    :param encode: :meth:`WireCodec.encode`.
    :param max_payload_bytes: a larger part is sent in several frames.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        data_plane: DataPlaneChannel,
        *,
        segments: Segments,
        encode: Callable[[Batch, Iterable[Section], int], list[bytes]],
        tracer: Tracer | None,
        max_payload_bytes: int,
    ) -> None:
        self._segments, self._data_plane, self._tracer = plan.segments, data_plane, tracer
        self._here = segments
        self._encode, self._max_payload = encode, max_payload_bytes
        self._own_place = place_of(data_plane.worker_id)
        self._own_index = index_of(data_plane.worker_id)
        self._places = places_of(plan)
        self._splitters = [Splitter(s.key, s.workers) for s in plan.segments]

    def send(
        self, source: int, batch: Batch, departures: Mapping[int, Sequence[Section]]
    ) -> list[tuple[int, Parcel]]:
        """Send the output of the segment ``source`` for a batch, given by target segment.

        The parts for segments of this worker are not sent but returned, each with its segment. The
        sink's segment, which has no segment downstream, acknowledges the batch instead.

        :raises RecordTooLargeError, NodeOutputError: when a record cannot be sent.
        :raises TransportError: when the hub is lost.
        """
        here: list[tuple[int, Parcel]] = []
        _, skipped = self._here.dropped_counts()
        downstream = self._segments[source].downstream
        for target in downstream:
            parts = self._splitters[target].split(batch.number, departures.get(target, ()))
            for place, sections in zip(self._places[target], parts, strict=True):
                if place == self._own_place:
                    here.append((target, Parcel((source, self._own_index), sections)))
                else:
                    self._send(
                        batch,
                        sections,
                        source=source,
                        target=target,
                        place=place,
                        skipped=skipped,
                    )
        if not downstream:
            self._acknowledge(source, batch, skipped)
        if self._tracer is not None:
            (self._tracer.flush if batch.final else self._tracer.rest)()
        return here

    def _acknowledge(self, source: int, batch: Batch, skipped: int) -> None:
        sink, end = self._here.sink, None
        if batch.final and sink is not None:
            end = SinkEnd(sink.committed, batch.last, sink.records)
        self._data_plane.acknowledge(source, batch.number, end, skipped)

    def _send(
        self,
        batch: Batch,
        sections: Sequence[Section],
        *,
        source: int,
        target: int,
        place: str,
        skipped: int,
    ) -> None:
        """Send a batch's sections to the worker in a place, in as many frames as needed."""
        began = time.time_ns()
        *others, last = self._encoded(batch, sections)
        header = self._header(batch, source=source, target=target, place=place, skipped=skipped)
        for payload in others:
            self._data_plane.send(replace(header, more=True), payload, final=batch.final)
        self._data_plane.send(header, last, final=batch.final)
        if self._tracer is not None:
            to = target, self._places[target].index(place)
            self._tracer.sent(batch, (source, self._own_index), to, sections, began)

    def _encoded(self, batch: Batch, sections: Sequence[Section]) -> list[bytes]:
        try:
            return self._encode(batch, sections, self._max_payload)
        except RunError as error:
            note_trace(error, batch, TraceIds(self._data_plane.run_id))
            if self._tracer is not None:
                self._tracer.blame(batch, error)
            raise

    def _header(
        self, batch: Batch, *, source: int, target: int, place: str, skipped: int
    ) -> BatchHeader:
        """The header of the last frame of a batch for one worker."""
        return BatchHeader(
            sender=self._data_plane.worker_id,
            receiver=self._data_plane.worker_at(place),
            run_id=self._data_plane.run_id,
            scenario_id=self._data_plane.scenario_id,
            epoch=batch.number,
            first=batch.first,
            last=batch.last,
            source_segment=source,
            target_segment=target,
            more=False,
            complete=batch.complete,
            sampled=sampled_mark(batch),
            skipped=skipped,
        )
