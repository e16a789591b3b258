"""Running one segment of a plan over batches; the same code in every profile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sk_kernel._application.application import ApplicationContext
from sk_kernel._application.container import Container
from sk_kernel._application.fault_trace import note_trace
from sk_kernel._application.forked import OwnProcess
from sk_kernel._batch.batch import Batch, Column, Section
from sk_kernel._batch.flow import Flow
from sk_kernel._batch.request_batch import RequestBatch
from sk_kernel._calls.contexts import Identity
from sk_kernel._calls.losses import Losses
from sk_kernel._graph.graph import SINK, SOURCE, Edge, Graph
from sk_kernel._graph.plan import ExecutionPlan, Segment
from sk_kernel._measure.stopwatch import Stopwatch
from sk_kernel._record.envelope import Key
from sk_kernel._run.step_maker import StepMaker
from sk_kernel._run.steps import NodeStep, Step, Writer
from sk_kernel._trace.observe import Tracer
from sk_kernel.errors import RunError, WireError

if TYPE_CHECKING:
    import asyncio


class SegmentRunner:
    """The nodes of one segment, made and compiled.

    A tracer is told when the segment is through with a batch. Where other segments follow, whoever
    sends a batch on calls the tracer's ``rest()`` behind that, and whoever waits for the next batch
    calls its ``flush()``.

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
        self._tracer, self._ids = tracer, identity.ids
        self.losses = Losses(identity) if losses is None else losses
        self._branching = plan.graph.branching
        self._entries = _entries(plan.graph, set(segment.vertices))
        self._maker = StepMaker(
            application,
            plan,
            segment,
            container,
            identity,
            self.losses,
            tracer=tracer,
            loop=loop,
            stopwatch=stopwatch,
        )
        #: How requests may pass.
        self.manner = self._maker.manner
        self._source_outlet = self._maker.outlets.get((SOURCE, False))
        self._steps = self._maker.of_batches(write)
        self._request_steps: list[Step] | None = None  # most runs are asked nothing
        self._finished = False
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
        """Run one record on from the consumer of ``edge``, which is in this segment.

        :raises NodeFailedError, NodeOutputError, UnknownTargetError, AdapterFailedError:
            what it, or the sink, did.
        """
        flow = Flow(batch)
        flow.inbox[edge.consumer] = [Column(edge, [key], [payload])]
        self._run_batch(flow)

    def answer(
        self, batch: RequestBatch, arrivals: Iterable[Column]
    ) -> tuple[list[Column], dict[int, list[Section]]]:
        """Run records of requests on from the consumers of their edges, which are in this segment.

        Returns what came to the sink, which is not written, and what leaves, by segment. Both may
        hold records of requests that have failed: ``batch.failed`` says which those are. Behind the
        end of input a request fails that comes to a node which has finished, or shares a state with
        one.

        :raises DeadLetterError: when what a node gave up cannot be written.
        """
        flow, steps = self._asked(batch, arrivals)
        try:
            departures = self._run(flow, steps)
        finally:
            self.losses.flush(of_requests=True)
        return flow.take(SINK), departures

    async def overlap(
        self, batch: RequestBatch, arrivals: Iterable[Column]
    ) -> tuple[list[Column], dict[int, list[Section]]]:
        """:meth:`answer`, while others pass the segment: only where its manner is overlapping.

        :raises DeadLetterError: when what a node gave up cannot be written.
        """
        flow, steps = self._asked(batch, arrivals)
        try:
            for step in steps:
                with OwnProcess():
                    if isinstance(step, NodeStep):
                        await step.go(flow)
                    else:
                        step.run(flow)
            for error in batch.blamed:
                self._traced(batch, error)
        finally:
            if self._tracer is not None:
                self._hand_over(self._tracer, done=False)
            self.losses.flush(of_requests=True)
        return flow.take(SINK), flow.departures()

    def _asked(self, batch: RequestBatch, arrivals: Iterable[Column]) -> tuple[Flow, list[Step]]:
        if self._request_steps is None:
            self._request_steps = self._maker.of_requests(finished=self._finished)
        flow = Flow(batch)
        for column in arrivals:
            flow.inbox.setdefault(column.edge.consumer, []).append(column)
        return flow, self._request_steps

    def _run_batch(self, flow: Flow) -> dict[int, list[Section]]:
        departures = self._run(flow, self._steps)
        self.losses.flush()
        if flow.batch.final:
            self._finished, self._request_steps = True, None
        return departures

    def _run(self, flow: Flow, steps: Sequence[Step]) -> dict[int, list[Section]]:
        batch, done = flow.batch, False
        try:
            for step in steps:
                with OwnProcess():
                    step.run(flow)
            for error in batch.blamed:
                self._traced(batch, error)
            done = steps is self._steps
        except RunError as error:
            self._traced(batch, error)
            raise
        finally:
            if self._tracer is not None:
                self._hand_over(self._tracer, done=done)
        return flow.departures()

    def _hand_over(self, tracer: Tracer, *, done: bool) -> None:
        """Have the tracer hand spans over: behind a batch when there are many, else all of them.

        :param done: whether this was a batch that is done; not requests, or what ended the run.
        """
        if not done:
            tracer.flush()
        elif self._sends:  # who sends it on adds the spans of that
            tracer.settle()
        else:
            tracer.rest()

    def _traced(self, batch: Batch, error: RunError) -> None:
        """Note the trace of its record on an error that ends the run or a request; have a span."""
        note_trace(error, batch, self._ids)
        if self._tracer is not None:
            self._tracer.blame(batch, error)


def needs_loop(graph: Graph, vertices: Iterable[str]) -> bool:
    """Whether any of the vertices is a coroutine node, or finishes by one."""
    own = [graph.nodes[name] for name in vertices if name in graph.nodes]
    return any(spec.is_async or spec.finish_is_async for spec in own)


def _entries(graph: Graph, own: set[str]) -> dict[tuple[str, type], list[Edge]]:
    entries: dict[tuple[str, type], list[Edge]] = {}
    for edge in graph.edges:
        if edge.consumer in own:
            entries.setdefault((edge.producer, edge.payload.cls), []).append(edge)
    return entries
