"""The intake of a worker's segments: collects the parts of each batch until it is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace
from sk_kernel import RunError
from sk_kernel.runtime import (
    Batch,
    ExecutionPlan,
    Identity,
    Parcel,
    Section,
    Segment,
    Tracer,
    note_trace,
)

from sk_supervisor._protocol.frames import batch_of
from sk_supervisor._protocol.worker_ids import index_of
from sk_supervisor._worker.align import Aligner, Upstream
from sk_supervisor._worker.inbox import BatchArrived


class Intake:
    """Takes parts of batches, and yields whole batches. The worker's main thread only.

    :param decode: :meth:`WireCodec.decode`.
    :param resumed: whether this worker replaces one that has failed.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        identity: Identity,
        *,
        decode: Callable[[Batch, bytes | memoryview], list[Section]],
        tracer: Tracer | None,
        resumed: bool,
    ) -> None:
        self._decode, self._tracer, self._own_index = decode, tracer, identity.worker
        self._ids = identity.ids
        self._aligners: dict[int, Aligner[tuple[Batch, Parcel]]] = {
            segment.index: Aligner(_upstream_of(plan, segment), resumed=resumed)
            for segment in plan.of_group(identity.group)
            if segment.upstream
        }

    def arrive(self, arrived: BatchArrived) -> None:
        """Take a frame of another worker.

        :raises AlignmentError: when it cannot belong where its header says.
        :raises HeaderError: when it marks records that are not in its batch.
        :raises WireError, NodeOutputError: when its payload, or a record in it, cannot be read.
        """
        header = arrived.header
        batch = batch_of(header, final=arrived.final)
        upstream = header.source_segment, index_of(header.sender)
        try:
            parcel = Parcel(upstream, self._decode(batch, arrived.payload))
        except RunError as error:
            note_trace(error, batch, self._ids)
            raise
        self._aligners[header.target_segment].add(
            header.epoch, upstream, (batch, parcel), more=header.more, sender=header.sender
        )

    def stay(self, segment: int, batch: Batch, parcel: Parcel) -> None:
        """Take the output of one segment of this worker for another one.

        Only the correlations of its own records go with it, as over a wire: other records may
        arrive another way too, with more correlations.
        """
        known = batch.correlations
        keys = (key for section in parcel.sections for key in section.keys) if known else ()
        batch = replace(batch, correlations={key: known[key] for key in keys if key in known})
        self._aligners[segment].add(batch.number, parcel.by, (batch, parcel), more=False)

    def whole(self) -> Iterator[tuple[int, Batch, list[Parcel]]]:
        """Yield the whole batches, each with the segment that is to run it now.

        The output of one batch may complete another, which then follows.
        """
        again = True
        while again:
            again = False
            for segment, aligner in self._aligners.items():
                for _, parts in aligner.ready():
                    yield segment, *self._joined(segment, parts)
                    again = True

    def _joined(
        self, segment: int, parts: list[tuple[Batch, Parcel]]
    ) -> tuple[Batch, list[Parcel]]:
        """Join the parts of the upstream workers to one batch, and begin the span of its run."""
        batch, parcels = parts[0][0], [parcel for _, parcel in parts]
        for other, _ in parts[1:]:
            batch.correlations.update(other.correlations)
        if self._tracer is not None:
            self._tracer.received(batch, (segment, self._own_index), parcels)
        return batch, parcels


def _upstream_of(plan: ExecutionPlan, segment: Segment) -> list[Upstream]:
    """Every worker of every segment that sends to this one."""
    workers = {i: plan.segments[i].workers for i in segment.upstream}
    return [(i, index) for i, several in workers.items() for index in range(several)]
