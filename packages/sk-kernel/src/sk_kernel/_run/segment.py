"""Running one segment of a plan over batches; the same code in every profile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sk_kernel._application.application import ApplicationContext
from sk_kernel._application.container import Container
from sk_kernel._batch.batch import Batch, Column, Section
from sk_kernel._batch.fault_trace import note_trace
from sk_kernel._batch.flow import Flow
from sk_kernel._batch.request_batch import RequestBatch
from sk_kernel._calls.contexts import Identity
from sk_kernel._calls.losses import Losses
from sk_kernel._graph.graph import SINK, SOURCE, Edge, Graph
from sk_kernel._graph.plan import ExecutionPlan, Segment
from sk_kernel._guard.forked import OwnProcess
from sk_kernel._measure.stopwatch import Stopwatch
from sk_kernel._record.envelope import Key
from sk_kernel._run.step_maker import StepMaker
from sk_kernel._run.steps import NodeStep, Step, Writer
from sk_kernel._trace.observe import Tracer
from sk_kernel.errors import RunError, WireError

if TYPE_CHECKING:
    import asyncio


class SegmentRunner:
    """The nodes of one segment, created and compiled into steps.

    The runner tells the tracer when the segment has finished a batch. If other segments follow, the
    caller must call the tracer's ``rest()`` after sending the batch on, and its ``flush()`` before
    waiting for the next one.

    :param write: receives the payloads of each batch for the sink; needed in the sink's segment.
    :param loop: runs coroutine nodes; needed if :func:`needs_loop` says so.
    :param losses: receives the records given up by nodes whose failure policy is not ``fail``.
    :param stopwatch: measures the nodes; without one nothing is measured.
    :raises ResolutionError: when a node cannot be created.
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
        #: How requests may pass the segment.
        self.manner = self._maker.manner
        self._source_outlet = self._maker.outlets.get((SOURCE, False))
        self._steps = self._maker.of_batches(write)
        self._request_steps: list[Step] | None = None  # created at the first request
        self._finished = False
        self._sends = bool(segment.downstream)

    def read(self, batch: Batch, payloads: Sequence[Any]) -> dict[int, list[Section]]:
        """Run the source's payloads of this batch; return the departing sections, by segment.

        :raises NodeFailedError, NodeOutputError, UnknownTargetError, AdapterFailedError: when a
            record, or the sink, failed.
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
        """Run what other segments sent of this batch; return the departing sections, by segment.

        :raises WireError: when something arrived that no node of this segment consumes.
        :raises NodeFailedError, NodeOutputError, UnknownTargetError, AdapterFailedError: when a
            record, or the sink, failed.
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
        """Run one record, starting at the consumer of ``edge``, which is in this segment.

        :raises NodeFailedError, NodeOutputError, UnknownTargetError, AdapterFailedError: when the
            record, or the sink, failed.
        """
        flow = Flow(batch)
        flow.inbox[edge.consumer] = [Column(edge, [key], [payload])]
        self._run_batch(flow)

    def answer(
        self, batch: RequestBatch, arrivals: Iterable[Column]
    ) -> tuple[list[Column], dict[int, list[Section]]]:
        """Run records of requests, each from the consumer of its edge, which is in this segment.

        Return the records that reached the sink, which does not write them, and the departing
        sections by segment. Both may contain records of requests that have failed: those are in
        ``batch.failed``. After the end of input, a request fails if it reaches a node that has
        finished or that shares a state with such a node.

        :raises DeadLetterError: when a dead letter cannot be written.
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
        """Do as :meth:`answer`, while others pass the segment; only if its manner is overlapping.

        :raises DeadLetterError: when a dead letter cannot be written.
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
        """Have the tracer hand over all spans; after a completed batch only if there are many.

        :param done: whether a batch of the stream was completed; false for requests and for a
            failure.
        """
        if not done:
            tracer.flush()
        elif self._sends:  # the caller first adds the spans of sending
            tracer.settle()
        else:
            tracer.rest()

    def _traced(self, batch: Batch, error: RunError) -> None:
        """Note the record's trace on an error that ends the run or a request; give it a span."""
        note_trace(error, batch, self._ids)
        if self._tracer is not None:
            self._tracer.blame(batch, error)


def needs_loop(graph: Graph, vertices: Iterable[str]) -> bool:
    """Return whether any of the vertices is a coroutine node or has a coroutine ``finish()``."""
    own = [graph.nodes[name] for name in vertices if name in graph.nodes]
    return any(spec.is_async or spec.finish_is_async for spec in own)


def _entries(graph: Graph, own: set[str]) -> dict[tuple[str, type], list[Edge]]:
    entries: dict[tuple[str, type], list[Edge]] = {}
    for edge in graph.edges:
        if edge.consumer in own:
            entries.setdefault((edge.producer, edge.payload.cls), []).append(edge)
    return entries
