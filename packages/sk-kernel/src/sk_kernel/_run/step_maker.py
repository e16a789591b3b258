"""Making the steps of a segment: for batches and for requests, from the same nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from sk_kernel._application.application import ApplicationContext
from sk_kernel._application.container import Container
from sk_kernel._batch.flow import Outlet, Route
from sk_kernel._calls.asked import AskedCall
from sk_kernel._calls.calls import NodeCall
from sk_kernel._calls.contexts import Identity
from sk_kernel._calls.guarded import GuardedCall
from sk_kernel._calls.losses import Losses
from sk_kernel._declare.specs import Emission
from sk_kernel._graph.graph import SINK, SOURCE, Edge, Graph
from sk_kernel._graph.plan import ExecutionPlan, Segment
from sk_kernel._graph.units import Unit
from sk_kernel._measure.stopwatch import Stopwatch
from sk_kernel._run.key_guard import KeyGuard
from sk_kernel._run.steps import Finish, Finished, NodeStep, SinkStep, Step, Writer
from sk_kernel._run.timed_step import TimedStep
from sk_kernel._run.unit_step import UnitStep
from sk_kernel._trace.observe import Tracer

if TYPE_CHECKING:
    import asyncio


class Manner(NamedTuple):
    """How requests may pass a segment.

    :param ordered: one after the other, in the order of their arrival: a node keeps something that
        a later record may see.
    :param overlapping: each by itself, while others wait in coroutines; all nodes are coroutines
        then. Not if steps are timed: the times would include the steps of other requests.
    :param gathering: best many together, since a node takes them in one call.
    """

    ordered: bool
    overlapping: bool
    gathering: bool


class StepMaker:
    """Creates the nodes of one segment, once, and compiles steps from them.

    :raises ResolutionError: when a node cannot be created.
    """

    def __init__(
        self,
        application: ApplicationContext,
        plan: ExecutionPlan,
        segment: Segment,
        container: Container,
        identity: Identity,
        losses: Losses,
        *,
        tracer: Tracer | None,
        loop: asyncio.Runner | None,
        stopwatch: Stopwatch | None,
    ) -> None:
        self._application, self._graph, self._segment = application, plan.graph, segment
        self._identity, self._losses, self._tracer = identity, losses, tracer
        self._loop, self._stopwatch = loop, stopwatch
        self.outlets = _outlets(plan, segment)
        self._nodes = {
            name: application.make_node(name, container)
            for unit in segment.units
            for name in unit
            if name not in (SOURCE, SINK)
        }

    def of_batches(self, write: Writer | None) -> list[Step]:
        """Return the steps of the stream's batches; ``write`` is needed in the sink's segment."""
        steps: list[Step] = []
        for unit in self._segment.units:
            if unit == (SINK,):
                assert write is not None  # noqa: S101 - only the sink's segment writes
                steps.append(SinkStep(write, self._tracer))
            elif unit != (SOURCE,):
                steps += self._steps(unit, self._call)
        return steps

    def of_requests(self, *, finished: bool) -> list[Step]:
        """Return the steps of requests: records for the sink are left there for the caller.

        :param finished: whether the nodes that have a ``finish()`` have finished.
        """
        steps: list[Step] = []
        for unit in self._segment.units:
            if unit in ((SINK,), (SOURCE,)):
                continue
            if finished and any(self._graph.nodes[name].finish for name in unit):
                steps.append(Finished(unit))
            else:
                steps += self._steps(unit, partial(self._guarded_call, AskedCall))
        return steps

    @property
    def manner(self) -> Manner:
        """How requests may pass the segment."""
        specs = [self._graph.nodes[name] for name in self._nodes]
        free = all(map(self._is_independent, self._nodes))
        alone = [unit[0] for unit in self._segment.units if len(unit) == 1]
        return Manner(
            ordered=not free,
            # A plain node would be called in a running event loop, which some libraries reject.
            overlapping=free
            and self._stopwatch is None
            and bool(specs)
            and all(s.is_async for s in specs),
            gathering=any(
                s.processes_batches and s.name in alone and self._is_independent(s.name)
                for s in specs
            ),
        )

    def _steps(self, unit: Unit, call: Callable[[str], NodeCall]) -> Iterator[Step]:
        guard: KeyGuard | None = None
        if guarded := self._guarded_edges(unit):
            key, workers = self._segment.key, self._segment.workers
            assert key is not None  # noqa: S101 - else nothing is guarded
            changers = {edge.producer: self._changers(edge.producer) for edge in guarded}
            guard = KeyGuard(guarded, changers, key, workers, self._identity.worker)
            if any(edge.producer not in unit for edge in guarded):
                yield guard
        calls = {name: call(name) for name in unit}
        build = partial(_step, self._graph, calls, self.outlets, guard)
        yield TimedStep(self._stopwatch, calls, build) if self._stopwatch else build()

    def _call(self, name: str) -> NodeCall:
        if self._application.spec.failure.of(name).policy != "fail":
            return self._guarded_call(GuardedCall, name)
        spec, node = self._graph.nodes[name], self._nodes[name]
        independent = self._is_independent(name)
        return NodeCall(
            spec, node, self._identity, self._tracer, self._loop, independent=independent
        )

    def _guarded_call(self, kind: type[GuardedCall], name: str) -> GuardedCall:
        return kind(
            self._graph.nodes[name],
            self._nodes[name],
            self._identity,
            self._application.spec.failure.of(name),
            self._losses,
            self._tracer,
            self._loop,
            independent=self._is_independent(name),
        )

    def _is_independent(self, name: str) -> bool:
        spec = self._graph.nodes[name]
        return not self._application.states_of(name) and spec.finish is None

    def _guarded_edges(self, unit: Unit) -> list[Edge]:
        """Return the edges from nodes of this segment, if it is keyed, to nodes with a state."""
        if self._segment.key is None:
            return []
        holders = [name for name in unit if self._application.states_of(name)]
        edges = (edge for name in holders for edge in self._graph.edges_to(name))
        return [edge for edge in edges if edge.producer in self._nodes]

    def _changers(self, producer: str) -> tuple[str, ...]:
        """Return the nodes that may have changed the key of a node's output without a check.

        These are the node and those before it, as far as the segment's border or a node with a
        keyed state, before which there is a guard.
        """
        found, waiting = {producer}, [producer]
        while waiting:
            name = waiting.pop()
            if not self._application.states_of(name):
                before = {edge.producer for edge in self._graph.edges_to(name)}
                before = (before & self._nodes.keys()) - found
                found |= before
                waiting += before
        return tuple(name for name in self._graph.order if name in found)


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
        edges = [e for e in plan.graph.edges_from(producer) if e.payload == payload]
        remote: dict[int, list[str]] = {}
        for edge in edges:
            index = plan.segment_of(edge.consumer).index
            if index != segment.index:
                remote.setdefault(index, []).append(edge.consumer)
        routes[payload.cls] = Route(
            payload,
            tuple(e for e in edges if plan.segment_of(e.consumer).index == segment.index),
            tuple((index, tuple(names)) for index, names in remote.items()),
        )
    return routes


def _step(
    graph: Graph,
    calls: dict[str, NodeCall],
    outlets: Mapping[tuple[str, bool], Outlet],
    guard: KeyGuard | None,
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
    for edge in (edge for name in calls for edge in graph.edges_from(name)):
        if edge.consumer in calls:
            key = edge.producer, edge.payload.cls
            inner[key] = (*inner.get(key, ()), edge)
    own = {name: outlets[name, False] for name in calls}
    return UnitStep(calls, inner, own, list(finishes.values()), guard)
