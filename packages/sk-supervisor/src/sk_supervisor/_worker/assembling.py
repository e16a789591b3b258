"""Builds a worker's parts from its bundle, and assembles them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sk_control import BootstrapBundle
from sk_kernel.runtime import (
    SINK,
    SOURCE,
    Losses,
    Segment,
    SegmentRunner,
    SinkDriver,
    SourceDriver,
    WireCodec,
    letter_part,
    needs_loop,
)

from sk_supervisor._protocol.worker_ids import place_edges, place_of, places_of
from sk_supervisor._worker.assembly import Assembly
from sk_supervisor._worker.basis import Basis
from sk_supervisor._worker.data_plane import DataPlaneChannel
from sk_supervisor._worker.downstream import Downstream
from sk_supervisor._worker.engine import Engine
from sk_supervisor._worker.inbox import Item
from sk_supervisor._worker.intake import Intake
from sk_supervisor._worker.position import MainThreadPosition, codes_of
from sk_supervisor._worker.replay_buffer import ReplayBuffer
from sk_supervisor._worker.responder import Responder
from sk_supervisor._worker.segments import Segments
from sk_supervisor._worker.source_thread import SourceThread

#: How long the supervisor's message about a successor may take after the successor's first frame.
_INTRODUCTION_SECONDS = 10.0


def assemble(
    bundle: BootstrapBundle,
    assignment: dict[str, Any],
    deliver: Callable[[Item], None],
    open_data_plane: Callable[..., DataPlaneChannel],
) -> Assembly:
    """Build everything that this worker runs, and dial the hub.

    :param assignment: the assignment that the spawn pipe carried: see :class:`WorkerStart`.
    :param deliver: puts an item into the worker's inbox.
    :param open_data_plane: called with the arguments of :class:`DataPlaneChannel`.

    :raises BundleRejectedError, KernelError, TransportError, ExporterSetupError: if a part cannot
        be built.
    """
    basis = Basis(bundle, assignment)
    data_plane = _data_plane(basis, open_data_plane)
    segments = _segments(basis)
    responder = Responder(
        basis.plan,
        segments.runners,
        data_plane,
        max_payload_bytes=basis.child.link.max_payload_bytes,
        loop=segments.loop,
    )
    return Assembly(
        segments=segments,
        engine=_engine(basis, data_plane, segments, responder),
        responder=responder,
        data_plane=data_plane,
        credit=basis.credit,
        reader=_reader(basis, deliver),
        spans=basis.spans,
        profiler=basis.profiler,
        position=MainThreadPosition(codes_of(basis.plan.graph, _vertices(basis)), segments.loop),
    )


def _data_plane(basis: Basis, opened: Callable[..., DataPlaneChannel]) -> DataPlaneChannel:
    """Open this worker's end of the data plane."""
    bundle, child = basis.bundle, basis.child
    replay_buffer, patience = _for_restarts(basis)
    return opened(
        session=basis.assignment["session_id"],
        worker_id=basis.worker_id,
        run_id=bundle.run_id,
        scenario_id=bundle.scenario_id,
        keys=bundle.keys,
        address=(bundle.data_host, bundle.data_port),
        workers=child.workers,
        limits=child.link,
        replay_buffer=replay_buffer,
        introduction_seconds=patience,
        profiler=basis.profiler,
    )


def _for_restarts(basis: Basis) -> tuple[ReplayBuffer | None, float]:
    """The replay buffer for successors downstream, and how long to wait for news of one upstream.

    They are None and 0 if no such worker can be replaced. The first frame of a successor may arrive
    before the supervisor's message about it.
    """
    plan, own, credit = basis.plan, place_of(basis.worker_id), basis.credit
    places, edges, restartable = places_of(plan), place_edges(plan), basis.child.restartable
    again = {p for s in plan.segments if s.group in restartable for p in places[s.index]}
    kept = {receiver for sender, receiver in edges if sender == own and receiver in again}
    replay_buffer = ReplayBuffer(kept, lambda: credit.acknowledged) if kept else None
    succeeded = any(sender in again for sender, receiver in edges if receiver == own)
    return replay_buffer, _INTRODUCTION_SECONDS if succeeded else 0.0


def _engine(
    basis: Basis, data_plane: DataPlaneChannel, segments: Segments, responder: Responder
) -> Engine:
    """Create the engine that runs this worker's segments."""
    plan, tracer = basis.plan, basis.tracer
    codec = WireCodec(plan.graph)
    decode, encode = codec.decode, codec.encode
    if basis.profiler:
        decode, encode = basis.profiler.decoding(decode), basis.profiler.encoding(encode)
    resumed = basis.bundle.incarnation > 1
    return Engine(
        plan,
        basis.bundle.group,
        segments=segments,
        intake=Intake(plan, basis.identity, decode=decode, tracer=tracer, resumed=resumed),
        downstream=Downstream(
            plan,
            data_plane,
            segments=segments,
            encode=encode,
            tracer=tracer,
            max_payload_bytes=basis.child.link.max_payload_bytes,
        ),
        responder=responder,
        meter=basis.meter,
    )


def _segments(basis: Basis) -> Segments:
    """Create this worker's segments, and the sink if it is in this worker."""
    plan, profiler = basis.plan, basis.profiler
    own, vertices = plan.of_group(basis.bundle.group), _vertices(basis)
    sink = None
    if SINK in vertices:
        made = basis.application.make_sink(basis.container)
        sink = SinkDriver(plan.graph, made, profiler.main if profiler else None)
    loop = asyncio.Runner() if needs_loop(plan.graph, vertices) else None
    runners = {segment.index: _runner(basis, segment, sink, loop) for segment in own}
    return Segments(runners, sink, loop, basis.container)


def _vertices(basis: Basis) -> list[str]:
    """The names of the nodes and adapters in this worker."""
    own = basis.plan.of_group(basis.bundle.group)
    return [name for segment in own for name in segment.vertices]


def _runner(
    basis: Basis, segment: Segment, sink: SinkDriver | None, loop: asyncio.Runner | None
) -> SegmentRunner:
    letters = letter_part(basis.child.letters, basis.worker_id, segment.index)
    return SegmentRunner(
        basis.application,
        basis.plan,
        segment,
        basis.container,
        basis.identity,
        tracer=basis.tracer,
        write=sink.write if sink else None,
        loop=loop,
        losses=Losses(basis.identity, letters),
        stopwatch=basis.profiler.main if basis.profiler else None,
    )


def _reader(basis: Basis, deliver: Callable[[Item], None]) -> SourceThread | None:
    """Create the thread that reads the source; None if the source is in another worker."""
    plan, profiler = basis.plan, basis.profiler
    if plan.group_of[SOURCE] != basis.bundle.group:
        return None
    driver = SourceDriver(
        plan.graph,
        basis.application.make_source(basis.container),
        basis.child.limits,
        basis.ids,
        sampling=basis.tracer is not None,
        stopwatch=profiler.source if profiler else None,
    )
    patience = basis.child.source_seconds
    return SourceThread(driver, basis.credit, deliver, basis.meter, patience=patience)
