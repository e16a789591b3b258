"""Running an application divided into process groups, without processes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from sk_kernel._adapters.sink import SinkDriver
from sk_kernel._adapters.source import BatchLimits, SourceDriver
from sk_kernel._application.application import ApplicationContext
from sk_kernel._application.preflight import one_of
from sk_kernel._batch.batch import Batch, Section
from sk_kernel._batch.key_groups import Splitter
from sk_kernel._calls.contexts import Identity
from sk_kernel._calls.losses import Losses
from sk_kernel._graph.graph import SINK, SOURCE
from sk_kernel._graph.plan import ExecutionPlan, Segment, make_plan
from sk_kernel._letters.file import DeadLetterFile
from sk_kernel._letters.parts import letter_part
from sk_kernel._record.ids import TraceIds
from sk_kernel._run.loops import loop_if
from sk_kernel._run.segment import SegmentRunner, needs_loop
from sk_kernel._trace.hops import End, Parcel
from sk_kernel._trace.observe import Tracer
from sk_kernel._trace.span import NodeObserver
from sk_kernel._wire.portable import wire_faults
from sk_kernel._wire.wire import WireCodec
from sk_kernel.errors import Fault, PreflightError
from sk_kernel.testing._applications import Application, OwnSettings, substituted
from sk_kernel.testing._as_one import require_as_one
from sk_kernel.testing._given_up import GivenUp, LetterBox, letter_box

if TYPE_CHECKING:
    import asyncio

#: Frames by the worker of a segment that receives them, each with its sender.
_Arrivals = dict[End, list[tuple[End, bytes]]]

#: The group of every vertex that a placement does not name.
MAIN = "main"


def run_placed(
    application: Application,
    payloads: Iterable[Any],
    placement: Mapping[str, str],
    *,
    workers: Mapping[str, int] | None = None,
    nodes: OwnSettings | None = None,
    services: Iterable[object] = (),
    service_settings: OwnSettings | None = None,
    given_up: list[GivenUp] | None = None,
    batch_records: int = 1000,
    run_id: str = "test",
    observers: Sequence[NodeObserver] = (),
    sampling_ratio: float = 1.0,
    max_bytes: int = 1 << 20,
) -> list[Any]:
    """Run an application divided into groups by ``placement``; return what the sink receives.

    ``placement`` maps node names to groups; a vertex that it does not name (``source:source`` and
    ``sink:sink`` are vertices) is in the group ``main``. ``workers`` gives the number of workers of
    the groups that have more than one. Each worker has its own states and services, as a process
    has. Everything that goes from one segment to another is encoded, cut into frames of at most
    ``max_bytes``, and decoded. So the result, in order, equals that of :func:`run_application`;
    otherwise the application cannot have this placement. Source and sink are replaced, and
    ``services``, ``service_settings`` and ``given_up`` have the same meaning, as there; an instance
    in ``services`` is shared by all workers.

    If a group has several workers, everything is run a second time with one worker in each group,
    and must return the same; not if ``services`` are given, which would see everything twice.

    :raises DiscoveryError, DefinitionError, PreflightError: when the application cannot be run: for
        example, groups share a state, MessagePack cannot carry a payload, or a vertex or group is
        unknown.
    :raises RunError: when a node failed, or a record is larger than ``max_bytes``.
    :raises WorkersDifferError: when several workers returned something else than one; an
        ``AssertionError``.
    """
    given, instances, workers = list(payloads), list(services), workers or {}
    ids, limits = TraceIds(run_id, sampling_ratio), BatchLimits(batch_records, max_bytes)

    def received(
        box: LetterBox, workers: Mapping[str, int], observers: Sequence[NodeObserver] = ()
    ) -> list[Any]:
        context, sink = substituted(
            application, given, nodes or {}, instances, service_settings, box
        )
        plan = _planned(context, placement, workers)
        needed = needs_loop(plan.graph, plan.graph.order)
        with loop_if(needed=needed) as loop, ExitStack() as ends:
            _Placed(context, plan, ids, run_id, limits, observers, loop, box, ends).run()
        return sink.received

    with letter_box(wanted=given_up is not None) as box:
        got = received(box, workers, observers)
        letters = box.given_up()
    if any(count > 1 for count in workers.values()) and not instances:
        with letter_box(wanted=True) as aside:
            require_as_one(workers, got, received(aside, {}))
    if given_up is not None:
        given_up += letters
    return got


def _planned(
    context: ApplicationContext, placement: Mapping[str, str], workers: Mapping[str, int]
) -> ExecutionPlan:
    """Return the plan of a placement.

    :raises PreflightError: when there is none, or a payload cannot be sent from one group to
        another.
    """
    graph = context.graph
    group_of = {name: placement.get(name, MAIN) for name in graph.order}
    unknown = [*_unknown(placement, context), *_unknown_groups(workers, group_of)]
    if unknown:
        raise PreflightError(unknown)
    plan = make_plan(
        graph,
        group_of,
        context.all_states,
        workers_of=workers,
        key_of=context.state_keys,
    )
    if faults := wire_faults(graph, plan.crossing()):
        raise PreflightError(faults)
    return plan


def _unknown(placement: Iterable[str], context: ApplicationContext) -> Iterator[Fault]:
    """Report names that are not vertices. Bridges are allowed: they go with their adapters."""
    declared = context.catalogue
    adapters = (*declared.sources.values(), *declared.sinks.values())
    bridges = {adapter.bridge for adapter in adapters if adapter.bridge}
    for name in placement:
        if name not in context.graph.order and name not in bridges:
            wanted = one_of(context.graph.order, name)
            yield Fault(f"placement.{name}", "unknown_node", wanted)


def _unknown_groups(workers: Iterable[str], group_of: Mapping[str, str]) -> Iterator[Fault]:
    known = set(group_of.values())
    for name in workers:
        if name not in known:
            yield Fault(f"workers.{name}", "unknown_group", one_of(known, name))


class _Placed:
    """The segments of all groups, each with its workers, in this process.

    :param ends: closes the services of all workers, also if a node or adapter cannot be created.
    """

    def __init__(
        self,
        context: ApplicationContext,
        plan: ExecutionPlan,
        ids: TraceIds,
        run_id: str,
        limits: BatchLimits,
        observers: Sequence[NodeObserver],
        loop: asyncio.Runner | None,
        box: LetterBox,
        ends: ExitStack,
    ) -> None:
        self._box = box
        self._plan, self._codec, self._limits = plan, WireCodec(plan.graph), limits
        self._tracer = Tracer(plan, ids, observers) if observers else None
        self._splitters = [Splitter(s.key, s.workers) for s in plan.segments]
        self._context, self._ids, self._run_id, self._loop = context, ids, run_id, loop
        self._containers = {
            (s.group, worker): context.container() for s in plan.segments for worker in _workers(s)
        }
        for container in self._containers.values():
            ends.callback(container.close, loop)
        source = context.make_source(self._containers[plan.group_of[SOURCE], 0])
        sink = context.make_sink(self._containers[plan.group_of[SINK], 0])
        self._source = SourceDriver(plan.graph, source, limits, ids, sampling=bool(observers))
        self._sink = SinkDriver(plan.graph, sink)
        self._letters = DeadLetterFile(context.spec.failure)
        self._folder = self._letters.open()
        self._runners = [[self._runner(s, worker) for worker in _workers(s)] for s in plan.segments]

    def _runner(self, segment: Segment, worker: int) -> SegmentRunner:
        scenario, group = self._context.spec.scenario, segment.group
        identity = Identity(self._run_id, scenario, group, self._ids, worker)
        part = letter_part(self._folder, f"{group}-{worker}", segment.index)
        return SegmentRunner(
            self._context,
            self._plan,
            segment,
            self._containers[group, worker],
            identity,
            tracer=self._tracer,
            write=self._sink.write,
            loop=self._loop,
            losses=Losses(identity, part, self._box.take),
        )

    def run(self) -> None:
        self._source.open()
        self._sink.open()
        complete = False
        try:
            complete = self._pump()
        finally:
            self._source.close()
            self._sink.end(complete=complete)
            if self._tracer:
                self._tracer.close()
            self._end_letters(complete)

    def _end_letters(self, complete: bool) -> None:
        if complete:
            self._letters.stage()
            self._letters.commit()
        self._letters.abort()

    def _pump(self) -> bool:
        while True:
            batch, payloads = self._source.read()
            if self._tracer and batch.sampled:
                branching = self._plan.graph.branching
                self._source.trace(self._tracer, batch, branching=branching)
            self._pass(batch, payloads)
            if batch.final:
                return batch.complete

    def _pass(self, batch: Batch, payloads: Sequence[Any]) -> None:
        """Run a batch through the segments, each after those that send to it."""
        arrivals: _Arrivals = {}
        for segment in self._plan.segments:
            for worker, runner in enumerate(self._runners[segment.index]):
                own = _as_received(batch)
                here = segment.index, worker
                if SOURCE in segment.vertices:
                    departures = runner.read(own, payloads)
                else:
                    # In reverse: the result must not depend on the order of arrival.
                    frames = reversed(arrivals.get(here, []))
                    parcels = [Parcel(by, self._codec.decode(own, f)) for by, f in frames]
                    if self._tracer:
                        self._tracer.received(own, here, parcels)
                    departures = runner.run(own, [s for p in parcels for s in p.sections])
                self._send(own, here, departures, arrivals)

    def _send(
        self, batch: Batch, by: End, departures: Mapping[int, list[Section]], arrivals: _Arrivals
    ) -> None:
        for target, sections in departures.items():
            parts = self._splitters[target].split(batch.number, sections)
            for worker, part in enumerate(parts):
                began, to = time.time_ns(), (target, worker)
                frames = [(by, frame) for frame in self._frames(batch, part)]
                arrivals.setdefault(to, []).extend(frames)
                if self._tracer:
                    self._tracer.sent(batch, by, to, part, began)

    def _frames(self, batch: Batch, sections: list[Section]) -> list[bytes]:
        return self._codec.encode(batch, sections, self._limits.max_bytes)


def _workers(segment: Segment) -> range:
    return range(segment.workers)


def _as_received(batch: Batch) -> Batch:
    """Return the batch as a process knows it from the headers of its frames."""
    return Batch(
        batch.number,
        batch.first,
        batch.last,
        final=batch.final,
        complete=batch.complete,
        sampled=batch.sampled,
    )
