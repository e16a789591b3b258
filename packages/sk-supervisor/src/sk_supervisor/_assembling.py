"""Building a worker's parts from its bundle: its own discovery, its own DI scope, its own nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sk_control import BootstrapBundle
from sk_kernel import (
    SOURCE,
    ApplicationContext,
    Container,
    ExecutionPlan,
    Identity,
    Meter,
    SourceDriver,
    TraceIds,
    Tracer,
)

from sk_supervisor._assembly import Assembly
from sk_supervisor._bundle import ChildBootstrapBundle, decode_bundle, plan_of
from sk_supervisor._data_plane import DataPlaneChannel
from sk_supervisor._engine import Engine
from sk_supervisor._inbox import Credit, Item
from sk_supervisor._peers import place_edges, place_of, places_of
from sk_supervisor._retention import Retention
from sk_supervisor._scope import resolve
from sk_supervisor._source_thread import SourceThread

if TYPE_CHECKING:
    from sk_observability import SpanFanOut

    from sk_supervisor._profile import Profiler

#: How long the supervisor's word of a successor may take, once its first frame is here.
_INTRODUCTION_SECONDS = 10.0


def assemble(
    bundle: BootstrapBundle,
    assignment: dict[str, Any],
    deliver: Callable[[Item], None],
    scope: Container,
) -> Assembly:
    """Build everything that this worker runs, and dial the hub.

    :param assignment: what came through the spawn pipe: see :class:`WorkerStart`.
    :param scope: the worker's own; its end of the data plane is bound there.

    :raises BundleRejectedError, KernelError, TransportError, ExporterSetupError: what stood in the
        way.
    """
    child = decode_bundle(bundle.application)
    profiler = _profiler(bundle.group, assignment) if assignment.get("profile") else None
    application = ApplicationContext(child.application)
    plan = plan_of(application, child)
    ids = TraceIds(bundle.run_id, child.sampling_ratio)
    worker_id = assignment["worker_id"]
    spans = _spans(child, worker_id, bundle.run_id) if child.spans else None
    tracer = Tracer(plan, ids, [spans]) if spans else None
    container = application.container()
    meter = Meter()
    credit = Credit(child.limits.in_flight, meter)
    scope.provide(DataPlaneChannel, _data_plane(bundle, child, assignment, plan, credit, profiler))
    data_plane = resolve(scope, DataPlaneChannel)
    engine = Engine(
        application,
        plan,
        container,
        Identity(bundle.run_id, bundle.scenario_id, bundle.group, ids, bundle.worker_index),
        data_plane,
        tracer=tracer,
        max_payload_bytes=child.link.max_payload_bytes,
        letters=child.letters,
        resumed=bundle.incarnation > 1,
        meter=meter,
        profiler=profiler,
    )
    source = None
    if plan.group_of[SOURCE] == bundle.group:
        made = application.make_source(container)
        made = profiler.source.around_source(made) if profiler else made
        source = SourceDriver(plan.graph, made, child.limits, ids, sampling=tracer is not None)
    return Assembly(
        engine,
        data_plane,
        credit,
        source,
        SourceThread(source, credit, deliver, meter) if source else None,
        tracer,
        branching=plan.graph.branching,
        meter=meter,
        spans=spans,
        profiler=profiler,
    )


def _profiler(group: str, assignment: dict[str, Any]) -> Profiler:
    # Imported here: a worker that measures nothing starts without it.
    from sk_supervisor._profile import Profiler

    return Profiler(assignment["profile"], assignment["worker_id"], group, assignment["marks"])


def _data_plane(
    bundle: BootstrapBundle,
    child: ChildBootstrapBundle,
    assignment: dict[str, Any],
    plan: ExecutionPlan,
    credit: Credit,
    profiler: Profiler | None,
) -> DataPlaneChannel:
    """This worker's end of the data plane."""
    retention, patience = _for_restarts(plan, place_of(assignment["worker_id"]), child, credit)
    return DataPlaneChannel(
        session=assignment["session_id"],
        worker_id=assignment["worker_id"],
        run_id=bundle.run_id,
        scenario_id=bundle.scenario_id,
        keys=bundle.keys,
        address=(bundle.data_host, bundle.data_port),
        workers=child.workers,
        limits=child.link,
        retention=retention,
        introduction_seconds=patience,
        profiler=profiler,
    )


def _for_restarts(
    plan: ExecutionPlan, place: str, child: ChildBootstrapBundle, credit: Credit
) -> tuple[Retention | None, float]:
    """What this worker keeps for successors, and how long it waits to hear of one: mostly nothing.

    A successor may reach this worker with its first frame before the supervisor's word of it does.
    """
    places, edges = places_of(plan), place_edges(plan)
    again = {p for s in plan.segments if s.group in child.restartable for p in places[s.index]}
    kept = {receiver for sender, receiver in edges if sender == place and receiver in again}
    retention = Retention(kept, lambda: credit.acknowledged) if kept else None
    succeeded = any(sender in again for sender, receiver in edges if receiver == place)
    return retention, _INTRODUCTION_SECONDS if succeeded else 0.0


def _spans(child: ChildBootstrapBundle, worker_id: str, run_id: str) -> SpanFanOut:
    # Imported here: a worker that traces nothing starts without it.
    from sk_observability import SpanFanOut, build_span_exporters

    return SpanFanOut(
        build_span_exporters(
            child.spans, worker=worker_id, close_seconds=child.flush_seconds, run_id=run_id
        )
    )
