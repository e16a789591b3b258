"""Running one segment of a plan over batches; the same code in every profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sk_kernel._application import ApplicationContext
from sk_kernel._batch import Batch, Column, Section
from sk_kernel._calls import Identity, NodeCall
from sk_kernel._container import Container
from sk_kernel._envelope import Key, root_of
from sk_kernel._flow import Flow, Outlet, Route
from sk_kernel._graph import SINK, SOURCE, Edge, Graph
from sk_kernel._guarded import GuardedCall
from sk_kernel._key_guard import KeyGuard
from sk_kernel._losses import Losses
from sk_kernel._observe import Tracer
from sk_kernel._plan import ExecutionPlan, Segment
from sk_kernel._specs import Emission
from sk_kernel._steps import Finish, Finished, NodeStep, SinkStep, Step, Writer
from sk_kernel._stopwatch import Stopwatch, timed_step
from sk_kernel._trace_context import w3c_trace_id
from sk_kernel._unit_step import UnitStep
from sk_kernel._units import Unit
from sk_kernel.errors import RunError, WireError

if TYPE_CHECKING:
    import asyncio


class SegmentRunner:
    """The nodes of one segment, made and compiled.

    Where other segments follow, whoever sends a batch on flushes the tracer behind it.

    :param write: what the sink's payloads of a batch are given to; needed where the sink is.
    :param loop: runs coroutine nodes; needed where :func:`needs_loop` says so.
    :param losses: takes what nodes with another failure policy than ``fail`` give up.
    :param stopwatch: measures the nodes; without one nothing is measured.
    :raises ResolutionError: when a node cannot be made.
    """

    def __init__(
        self,
        application: ApplicationContext,
        plan: ExecutionPlan,
        segment: Segment,
        container: Container,
        identity: Identity,
        *,
        tracer: Tracer | None = None,
        write: Writer | None = None,
        loop: asyncio.Runner | None = None,
        losses: Losses | None = None,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        graph = plan.graph
        self._tracer, self._ids = tracer, identity.ids
        self.losses = lost = Losses(identity) if losses is None else losses
        self._branching = graph.branching
        self._entries = _entries(graph, set(segment.vertices))
        outlets = _outlets(plan, segment)
        self._source_outlet = outlets.get((SOURCE, False))

        def make(name: str) -> NodeCall:
            spec, target = graph.nodes[name], application.make_node(name, container)
            concurrent = not application.states_of(name) and spec.finish is None
            own = application.spec.failure.of(name)
            if own.policy == "fail":
                return NodeCall(spec, target, identity, tracer, loop, concurrent=concurrent)
            return GuardedCall(
                spec, target, identity, own, lost, tracer, loop, concurrent=concurrent
            )

        self._steps: list[Step] = []
        self._finished: dict[int, Step] = {}
        for unit in segment.units:
            if unit == (SINK,):
                assert write is not None  # noqa: S101 - only the sink's segment writes
                self._steps.append(SinkStep(write, tracer))
            elif unit != (SOURCE,):
                if guarded := _guarded_edges(application, graph, segment, unit):
                    assert segment.key is not None  # noqa: S101 - else nothing is guarded
                    key, index = segment.key, identity.worker
                    self._steps.append(KeyGuard(guarded, key, segment.workers, index))
                calls = {name: make(name) for name in unit}
                build = partial(_step, graph, calls, outlets)
                self._steps.append(timed_step(stopwatch, calls, build) if stopwatch else build())
                if any(graph.nodes[name].finish for name in unit):
                    self._finished[len(self._steps) - 1] = Finished(unit)
        self._answering = self._without_sink(self._steps)
        self._sends = bool(segment.downstream)

    def read(self, batch: Batch, payloads: Sequence[Any]) -> dict[int, list[Section]]:
        """Run the source's payloads of this batch through; returns what leaves, by segment.

        :raises NodeFailedError, NodeOutputError, UnknownTargetError, AdapterFailedError:
            what a record, or the sink, did.
        """
        assert self._source_outlet is not None  # noqa: S101 - only the source's segment reads
        flow = Flow(batch)
        numbers = range(batch.first, batch.last + 1)
        keys: Sequence[Key] = [(n,) for n in numbers] if self._branching else numbers
        if payloads:
            try:
                flow.emit(self._source_outlet, keys, payloads)
            except RunError as error:
                self._traced(batch, error)
                raise
        return self._run_batch(flow)

    def run(self, batch: Batch, arrivals: Iterable[Section]) -> dict[int, list[Section]]:
        """Run what arrived from other segments for this batch; returns what leaves, by segment.

        :raises WireError: when something arrived that no node of this segment consumes.
        :raises NodeFailedError, NodeOutputError, UnknownTargetError, AdapterFailedError:
            what a record, or the sink, did.
        """
        flow = Flow(batch)
        for section in arrivals:
            edges = self._entries.get((section.producer, section.payload.cls), ())
            if not any(section.target in (None, e.consumer) for e in edges):
                problem = f"{section.payload.name} from {section.producer!r} is for another segment"
                raise WireError(problem)
            flow.arrive(section, edges)
        return self._run_batch(flow)

    def resume(self, batch: Batch, edge: Edge, key: Key, payload: Any) -> None:
        """Run one record that came over ``edge`` from its consumer, which is here, on.

        :raises NodeFailedError, NodeOutputError, UnknownTargetError, AdapterFailedError:
            what it, or the sink, did.
        """
        flow = Flow(batch)
        flow.inbox[edge.consumer] = [Column(edge, [key], [payload])]
        self._run_batch(flow)

    def answer(
        self, batch: Batch, arrivals: Iterable[tuple[Edge, Key, Any]]
    ) -> tuple[list[Any], dict[int, list[Section]]]:
        """Run records of a request from the consumers of their edges, which are here, on.

        Returns what came to the sink, which is not written, and what leaves, by segment. Behind the
        end of input nothing comes to a node that has finished, or that shares a state with one.

        :raises NodeFailedError, NodeOutputError, UnknownTargetError, MovedKeyError:
            what a record did.
        """
        flow = Flow(batch)
        for edge, key, payload in arrivals:
            flow.inbox.setdefault(edge.consumer, []).append(Column(edge, [key], [payload]))
        try:
            departures = self._run(flow, self._answering)
        finally:
            self.losses.flush(asked=True)
        return [item for column in flow.take(SINK) for item in column.items], departures

    def _run_batch(self, flow: Flow) -> dict[int, list[Section]]:
        departures = self._run(flow, self._steps)
        self.losses.flush()
        if flow.batch.final:
            steps = [self._finished.get(i, step) for i, step in enumerate(self._steps)]
            self._answering = self._without_sink(steps)
        return departures

    @staticmethod
    def _without_sink(steps: Iterable[Step]) -> list[Step]:
        return [step for step in steps if not isinstance(step, SinkStep)]

    def _run(self, flow: Flow, steps: Sequence[Step]) -> dict[int, list[Section]]:
        sends = False
        try:
            for step in steps:
                step.run(flow)
            sends = steps is self._steps and self._sends
        except RunError as error:
            self._traced(flow.batch, error)
            raise
        finally:
            if self._tracer is not None:
                # Who sends a batch on adds the spans of that, and hands all over at once.
                (self._tracer.settle if sends else self._tracer.flush)()
        return flow.departures()

    def _traced(self, batch: Batch, error: RunError) -> None:
        """Name the trace of the record that the run ends with, and say so in its span."""
        error.trace_id = self._trace_of(batch, error.record)
        if self._tracer is not None:
            self._tracer.blame(batch, error)

    def _trace_of(self, batch: Batch, record: Key | None) -> str | None:
        if record is None:
            return None
        given = batch.correlation(record).trace_id
        return w3c_trace_id(given) if given else self._ids.of(root_of(record))


def needs_loop(graph: Graph, vertices: Iterable[str]) -> bool:
    """Whether any of the vertices is a coroutine node, or finishes by one."""
    own = [graph.nodes[name] for name in vertices if name in graph.nodes]
    return any(spec.is_async or spec.finish_is_async for spec in own)


def _guarded_edges(
    application: ApplicationContext, graph: Graph, segment: Segment, unit: Unit
) -> list[Edge]:
    """The ways to a keyed state that lead past other nodes of a segment that workers share."""
    if segment.key is None or not any(application.states_of(name) for name in unit):
        return []
    own = set(segment.vertices) - set(unit)
    return [edge for edge in graph.edges if edge.consumer in unit and edge.producer in own]


def _entries(graph: Graph, own: set[str]) -> dict[tuple[str, type], list[Edge]]:
    entries: dict[tuple[str, type], list[Edge]] = {}
    for edge in graph.edges:
        if edge.consumer in own:
            entries.setdefault((edge.producer, edge.payload.cls), []).append(edge)
    return entries


def _outlets(plan: ExecutionPlan, segment: Segment) -> dict[tuple[str, bool], Outlet]:
    graph = plan.graph
    outlets: dict[tuple[str, bool], Outlet] = {}
    for producer in segment.vertices:
        if producer == SINK:
            continue
        routes = _routes(plan, segment, producer)
        declared = graph.source.payload if producer == SOURCE else graph.nodes[producer].emits
        outlets[producer, False] = Outlet(producer, declared, _of(routes, declared))
        finish = None if producer == SOURCE else graph.nodes[producer].finish
        if finish:
            outlets[producer, True] = Outlet(producer, finish, _of(routes, finish))
    return outlets


def _of(routes: Mapping[type, Route], declared: Emission) -> list[Route]:
    return [routes[payload.cls] for payload in declared.types]


def _routes(plan: ExecutionPlan, segment: Segment, producer: str) -> dict[type, Route]:
    routes: dict[type, Route] = {}
    for payload in plan.graph.emitted(producer):
        edges = [e for e in plan.graph.edges if e.producer == producer and e.payload == payload]
        remote: dict[int, list[str]] = {}
        for edge in edges:
            index = plan.segment_of(edge.consumer).index
            if index != segment.index:
                remote.setdefault(index, []).append(edge.consumer)
        routes[payload.cls] = Route(
            payload,
            tuple(e for e in edges if e.consumer in segment.vertices),
            tuple((index, tuple(names)) for index, names in remote.items()),
        )
    return routes


def _step(
    graph: Graph, calls: dict[str, NodeCall], outlets: Mapping[tuple[str, bool], Outlet]
) -> Step:
    finishes = {
        name: Finish(call, outlets[name, True], graph.order.index(name))
        for name, call in calls.items()
        if (name, True) in outlets
    }
    if len(calls) == 1:
        ((name, call),) = calls.items()
        return NodeStep(call, outlets[name, False], finishes.get(name))
    inner: dict[tuple[str, type], tuple[Edge, ...]] = {}
    for edge in graph.edges:
        if edge.producer in calls and edge.consumer in calls:
            key = edge.producer, edge.payload.cls
            inner[key] = (*inner.get(key, ()), edge)
    own = {name: outlets[name, False] for name in calls}
    return UnitStep(calls, inner, own, list(finishes.values()))
