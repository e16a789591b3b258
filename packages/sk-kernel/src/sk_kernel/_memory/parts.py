"""The parts of a run in the memory profile: source, nodes, sink and the services they need."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from sk_kernel._adapters.sink import SinkDriver
from sk_kernel._adapters.source import BatchLimits, SourceDriver
from sk_kernel._application.application import ApplicationContext
from sk_kernel._calls.contexts import Identity
from sk_kernel._calls.losses import Losses
from sk_kernel._graph.plan import ExecutionPlan
from sk_kernel._measure.stopwatch import Stopwatch
from sk_kernel._run.loops import close_loop, new_loop
from sk_kernel._run.segment import SegmentRunner, needs_loop
from sk_kernel._trace.observe import Tracer

#: Called before a run's sink and services are closed, with the exception that ended the run (or
#: None), and a function that breaks out of a ``close`` that does not return. Only a signal handler
#: in the thread of the run may call that function.
OnEnd = Callable[[BaseException | None, Callable[[], None]], object]


class MemoryParts:
    """Source, nodes and sink of one run in this process; closes the services.

    :param on_end: called if a node or adapter cannot be created.
    :raises ResolutionError, AdapterFailedError: when a node or adapter cannot be created; the
        services that were created for it are closed.
    :raises LifecycleCallError: when the graph has coroutine nodes and an event loop is already
        running in this thread.
    """

    def __init__(
        self,
        application: ApplicationContext,
        plan: ExecutionPlan,
        identity: Identity,
        losses: Losses,
        *,
        limits: BatchLimits,
        tracer: Tracer | None,
        stopwatch: Stopwatch | None,
        on_end: OnEnd,
    ) -> None:
        graph = plan.graph
        self._loop = new_loop() if needs_loop(graph, graph.order) else None
        container = self._container = application.container()
        try:
            source, sink = application.make_source(container), application.make_sink(container)
            self.source = SourceDriver(
                graph,
                source,
                limits,
                identity.ids,
                sampling=tracer is not None,
                stopwatch=stopwatch,
            )
            self.sink = SinkDriver(graph, sink, stopwatch)
            self.runner = SegmentRunner(
                application,
                plan,
                plan.segments[0],
                container,
                identity,
                tracer=tracer,
                write=self.sink.write,
                loop=self._loop,
                losses=losses,
                stopwatch=stopwatch,
            )
        except BaseException as error:
            on_end(error, container.leave)
            self._close_after(error)
            raise

    def leave_close(self) -> None:
        """Break out of a sink's or service's ``close`` that does not return.

        Only for a signal handler in the thread that closes them; otherwise it does nothing.
        """
        self.sink.leave()
        self._container.leave()

    def close(self) -> None:
        """Close the services, last one first, then the event loop. May be called again."""
        loop, self._loop = self._loop, None
        with ExitStack() as ends:  # the loop is closed even if a service raises
            if loop is not None:
                ends.callback(close_loop, loop)
            self._container.close(loop)

    def _close_after(self, first: BaseException) -> None:
        """Close after the failure ``first``; if that is interrupted, add a note to ``first``."""
        try:
            self.close()
        except BaseException as second:  # noqa: BLE001 - must not replace the first
            first.add_note(f"and then: the closing of services raised {type(second).__name__}")
