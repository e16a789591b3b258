"""A worker's parts, built from its bundle: its own discovery, its own DI scope, its own nodes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sk_control import BootstrapBundle, Metering, PeerReplaced, SpanCounts
from sk_kernel import (
    SOURCE,
    ApplicationContext,
    Batch,
    Container,
    ExecutionPlan,
    Identity,
    Meter,
    Progress,
    SourceDriver,
    TraceIds,
    Tracer,
)

from sk_supervisor._bundle import ChildBootstrapBundle, decode_bundle, plan_of
from sk_supervisor._engine import Engine
from sk_supervisor._inbox import Credit, Item
from sk_supervisor._metering import metering_of
from sk_supervisor._outlet import Outlet
from sk_supervisor._peers import place_edges, place_of, places_of
from sk_supervisor._retention import Retention
from sk_supervisor._scope import resolve
from sk_supervisor._source_thread import SourceThread
from sk_supervisor._span_books import message_of

if TYPE_CHECKING:
    from sk_observability import SpanFanOut

    from sk_supervisor._profile import Profiler

#: How long a source may take to close when the run ends without it.
_CLOSE_SECONDS = 0.5
#: How long the supervisor's word of a successor may take, once its first frame is here.
_INTRODUCTION_SECONDS = 10.0


class Assembly:
    """What :func:`assemble` made, and how it ends."""

    def __init__(
        self,
        engine: Engine,
        outlet: Outlet,
        credit: Credit,
        source: SourceDriver | None,
        reader: SourceThread | None,
        tracer: Tracer | None,
        *,
        branching: bool,
        meter: Meter,
        spans: SpanFanOut | None = None,
        profiler: Profiler | None = None,
    ) -> None:
        self.meter, self._spans = meter, spans
        self.engine, self.outlet, self.credit = engine, outlet, credit
        self._source, self._reader, self._tracer = source, reader, tracer
        self._branching = branching
        self.profiler = profiler
        self.reported = False

    def open(self) -> None:
        """Open the adapters that are here.

        :raises AdapterFailedError: when one cannot be.
        """
        if self._reader is not None:
            self._reader.open()
        if self.engine.sink is not None:
            self.engine.open_sink()

    def progress(self) -> Progress:
        """How far the work has come."""
        return self.engine.progress

    def metering(self) -> Metering:
        """What has been measured of the work. Any thread."""
        credit = self.credit.left if self._reader is not None else None
        return metering_of(self.meter.totals(), time.process_time(), credit)

    def span_counts(self) -> SpanCounts | None:
        """What has become of the spans so far; None where nothing is traced. Any thread."""
        return message_of(self._spans.account(self.outlet.worker_id)) if self._spans else None

    def partial_outputs(self) -> tuple[str, ...]:
        """Where the sink's unfinished output is, if the sink is here."""
        return self.engine.sink.partial_outputs() if self.engine.sink else ()

    def start_source(self) -> None:
        """The gate is open: begin to read, if the source is here."""
        if self.profiler is not None:
            self.profiler.begin()
        if self._reader is not None:
            self._reader.start()

    def interrupt_source(self) -> None:
        """End the input, if the source is here. Any thread."""
        if self._reader is not None:
            self._reader.interrupt()

    def replace_peer(self, replaced: PeerReplaced) -> None:
        """Send what goes to a group to its new worker, and again what may not be done.

        :raises TransportError: when the hub is lost.
        """
        self.outlet.turn_to(replaced.worker_id, replaced.keys)

    def trace_source(self, batch: Batch) -> None:
        """Record the spans of a batch's reading."""
        if self._tracer is not None and self._source is not None and batch.sampled:
            self._source.trace(self._tracer, batch, branching=self._branching)

    def flush(self) -> None:
        """Export every span."""
        if self._tracer is not None:
            self._tracer.close()
            self._tracer = None

    def end(self) -> None:
        """Abort a sink that has not ended, let the source close, export, and hang up.

        :raises AdapterFailedError: when one cannot end; the rest is done all the same.
        """
        try:
            self.engine.end()
        finally:
            if self._reader is not None:
                self._reader.end(_CLOSE_SECONDS)
            self.flush()
            self.outlet.shutdown()


def assemble(
    bundle: BootstrapBundle,
    told: dict[str, Any],
    deliver: Callable[[Item], None],
    scope: Container,
) -> Assembly:
    """Build everything that this worker runs, and dial the hub.

    :param scope: the worker's own; its end of the data plane is bound there.

    :raises BundleRejectedError, KernelError, TransportError, ExporterSetupError: what stood in the
        way.
    """
    child = decode_bundle(bundle.application)
    worker_id = told["worker_id"]
    folder = told.get("profile")
    profiler = _profiler(folder, worker_id, bundle.group, told["marks"]) if folder else None
    application = ApplicationContext(child.application)
    plan = plan_of(application, child)
    ids = TraceIds(bundle.run_id, child.sampling_ratio)
    spans = _spans(child, worker_id) if child.spans else None
    tracer = Tracer(plan, ids, [spans]) if spans else None
    container = application.container()
    meter = Meter()
    credit = Credit(child.limits.in_flight, meter)
    retention, patience = _for_restarts(plan, place_of(worker_id), child, credit)
    scope.provide(
        Outlet,
        Outlet(
            session=told["session_id"],
            worker_id=worker_id,
            run_id=bundle.run_id,
            scenario_id=bundle.scenario_id,
            keys=bundle.keys,
            address=(bundle.data_host, bundle.data_port),
            workers=child.workers,
            limits=child.link,
            retention=retention,
            introduction_seconds=patience,
            profiler=profiler,
        ),
    )
    outlet = resolve(scope, Outlet)
    engine = Engine(
        application,
        plan,
        container,
        Identity(bundle.run_id, bundle.scenario_id, bundle.group, ids, bundle.worker_index),
        outlet,
        tracer=tracer,
        max_payload_bytes=child.link.max_payload_bytes,
        letters=child.letters,
        resumed=bundle.incarnation > 1,
        meter=meter,
        profiler=profiler,
    )
    source = None
    if plan.group_of[SOURCE] == bundle.group:
        made, sampling = application.make_source(container), tracer is not None
        made = profiler.source.around_source(made) if profiler else made
        source = SourceDriver(plan.graph, made, child.limits, ids, sampling=sampling)
    reader = SourceThread(source, credit, deliver, meter) if source else None
    branching = plan.graph.branching
    return Assembly(
        engine,
        outlet,
        credit,
        source,
        reader,
        tracer,
        branching=branching,
        meter=meter,
        spans=spans,
        profiler=profiler,
    )


def _profiler(folder: str, worker_id: str, group: str, marks: dict[str, int]) -> Profiler:
    # Imported here: a worker that measures nothing starts without it.
    from sk_supervisor._profile import Profiler

    return Profiler(folder, worker_id, group, marks)


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


def _spans(child: ChildBootstrapBundle, worker_id: str) -> SpanFanOut:
    # Imported here: a worker that traces nothing starts without it.
    from sk_observability import SpanFanOut, build_span_exporters

    return SpanFanOut(
        build_span_exporters(child.spans, worker=worker_id, close_seconds=child.flush_seconds)
    )
