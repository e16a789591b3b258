"""The memory profile: the whole graph runs in this process, in the calling thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import msgspec

from sk_kernel._adapters.calls import clean_up_after
from sk_kernel._adapters.source import BatchLimits
from sk_kernel._application.application import ApplicationContext
from sk_kernel._batch.batch import Batch
from sk_kernel._calls.contexts import Identity
from sk_kernel._calls.losses import Loss, Losses
from sk_kernel._graph.plan import make_plan, single_group
from sk_kernel._letters.file import DeadLetterFile
from sk_kernel._letters.parts import letter_part
from sk_kernel._measure.meter import Meter
from sk_kernel._measure.stopwatch import Stopwatch
from sk_kernel._measure.totals import Totals
from sk_kernel._memory.account import MEMORY, Account
from sk_kernel._memory.parts import MemoryParts, OnEnd
from sk_kernel._record.ids import TraceIds
from sk_kernel._requests.runner import RequestRunner
from sk_kernel._trace.observe import Tracer
from sk_kernel._trace.span import NodeObserver
from sk_kernel.ports import Progress, RunReport

_TURN_SECONDS = 1.0  # how long the end of a run waits for a request that is in a node
_LEFT_OPEN = (
    f"a request is still in a node {_TURN_SECONDS:g} s after the end of the run: the services, the"
    " event loop and the exporters of spans are not closed"
)


class MemoryRun:
    """One run of an application in the memory profile.

    :param observers: receive the spans of the records that ``sampling_ratio`` selects.
    :param on_progress: called after each batch, with the run's progress.
    :param on_open: called with the run when source and sink are open, before anything is read.
    :param on_input_end: called after the last record, before any node's ``finish()``.
    :param on_end: called at the end of the run, also of a failed one or a failed construction,
        before the sink and the services are closed: see :data:`OnEnd`.
    :param on_letter: called with each record that becomes a dead letter.
    :param stopwatch: measures source, nodes, spans and sink; without one nothing is measured.
    :raises ResolutionError, AdapterFailedError: when a node or adapter cannot be created; the
        services that were created for it are closed.
    :raises LifecycleCallError: when the graph has coroutine nodes and an event loop is already
        running in this thread.

    ``requests`` runs requests through the same nodes, between two batches: call it only while
    holding the lock ``turn``. ``opened`` is true once source and sink are open. ``report``, or
    ``failure`` with the exception that ended the run, is set as soon as the work is done, while the
    run is still closing what it has opened.
    """

    def __init__(
        self,
        application: ApplicationContext,
        run_id: str,
        *,
        limits: BatchLimits | None = None,
        observers: Sequence[NodeObserver] = (),
        sampling_ratio: float = 1.0,
        on_progress: Callable[[Progress], None] | None = None,
        stopwatch: Stopwatch | None = None,
        on_open: Callable[[MemoryRun], None] | None = None,
        on_input_end: Callable[[], None] | None = None,
        on_end: OnEnd = lambda *_: None,
        on_letter: Callable[[Loss], None] | None = None,
    ) -> None:
        self._on_open, self._on_input_end, self._on_end = on_open, on_input_end, on_end
        graph = application.graph
        self._meter = Meter()
        self._on_progress = on_progress
        self._branching = graph.branching
        ids = TraceIds(run_id, sampling_ratio)
        plan = make_plan(graph, single_group(graph, MEMORY), application.all_states)
        self._tracer = Tracer(plan, ids, observers, stopwatch) if observers else None
        identity = Identity(run_id, application.spec.scenario, MEMORY, ids)
        self._losses = Losses(identity, on_letter=on_letter)
        self._letters = DeadLetterFile(application.spec.failure)
        self.opened = self._has_begun = False
        self.report: RunReport | None = None
        self.failure: BaseException | None = None
        self.turn = threading.Lock()
        self._parts = MemoryParts(
            application,
            plan,
            identity,
            self._losses,
            limits=limits or BatchLimits(),
            tracer=self._tracer,
            stopwatch=stopwatch,
            on_end=on_end,
        )
        self._source, self._sink = self._parts.source, self._parts.sink
        self._runner = self._parts.runner
        self._account = Account(identity, self._meter, self._sink, self._losses)
        self.requests = RequestRunner(plan, plan.segments[0], self._runner)

    def run(self) -> RunReport:
        """Read the source to its end and commit the sink; after a stop, drain and abort the sink.

        Call it once. The source is closed, and the dead letters are merged, before the sink is
        committed: after the commit, the only step that can fail is a rename.

        :raises DeadLettersLeftError: when that rename failed; the sink was committed.
        :raises RunError: when a node, an adapter or the dead letters failed; the sink was aborted.
        """
        started, self._has_begun = time.monotonic(), True
        try:
            last = self._run()
            self.report = self._account.report(
                last, time.monotonic() - started, self.partial_outputs()
            )
            # After the report is set: a failing summary must not change the outcome.
            counters = self._sink.summary()
            self.report = msgspec.structs.replace(self.report, counters=counters)
        except BaseException as error:
            self.failure = error
            raise
        finally:
            self._end()
        return self.report

    def stop(self) -> None:
        """End the input and drain; called before :meth:`run`, read nothing. Safe in any thread."""
        self._source.interrupt()

    def leave_source(self) -> None:
        """Break out of a source read that does not return after :meth:`stop`.

        Only for a signal handler in the thread of :meth:`run`; it does nothing if no read is in
        progress.
        """
        self._source.leave()

    @property
    def unsummed(self) -> str:
        """The problem with the sink's summary, once the work has ended; empty if none."""
        return self._sink.unsummed

    def totals(self) -> Totals:
        """Return the measurements so far. Safe in any thread."""
        return self._account.totals()

    def partial_outputs(self) -> tuple[str, ...]:
        """Return the places of unfinished output, and of the dead letters of an incomplete run."""
        return self._sink.partial_outputs() + self._letters.partial_outputs()

    def _run(self) -> Batch:
        self._losses.write_to(letter_part(self._letters.open(), MEMORY, 0))
        try:
            last = self._work()
            with self._letters.after_output(committed=self._sink.committed):
                self._letters.commit()
            return last
        finally:
            self._letters.abort()

    def _work(self) -> Batch:
        self._source.open()
        try:
            self._sink.open()
        except BaseException as error:
            clean_up_after(error, self._source.close)
            raise
        try:
            self._sink.partial_outputs()  # fail early, as workers do
            self.opened = True
            if self._on_open:
                self._on_open(self)
            last = self._pump()
        except BaseException as error:
            clean_up_after(error, self._source.close)
            clean_up_after(error, self._abort)
            raise
        try:
            self._source.close()
            self._letters.stage()
            if last.complete:
                self._sink.end(complete=True)
        except BaseException as error:
            clean_up_after(error, self._abort)
            raise
        if not last.complete:
            self._abort()
        return last

    def close(self) -> None:
        """Close the services and the event loop of a run whose :meth:`run` is never called.

        It does nothing once :meth:`run` has begun, which closes them itself, or when it is called
        again.
        """
        if not self._has_begun:
            self._has_begun = True
            self._on_end(None, self._parts.leave_close)
            self._parts.close()

    def _end(self) -> None:
        """Flush the spans, then close the sink and, after it, the services."""
        if self._tracer and self.turn.acquire(blocking=False):
            try:
                self._tracer.flush()  # while the exporters are still open
            finally:
                self.turn.release()
        self._on_end(self.failure, self._parts.leave_close)
        try:
            self._sink.close()
        finally:
            self._close_after_the_sink()

    def _close_after_the_sink(self) -> None:
        """Close what the nodes use, unless a request is in a node that does not return."""
        if not self.turn.acquire(timeout=_TURN_SECONDS):
            from logging import getLogger  # imported here: seldom needed

            getLogger("sk_kernel").warning(_LEFT_OPEN)
            return
        with ExitStack() as ends:  # in reverse order, and all of them even if one raises
            ends.callback(self.turn.release)
            if self._tracer:
                ends.callback(self._tracer.close)
            self._parts.close()

    def _abort(self) -> None:
        self._sink.end(complete=False)

    def _pump(self) -> Batch:
        while True:
            batch, payloads = self._source.read()
            began = time.perf_counter()
            self._meter.work()
            if not batch.final:
                self._meter.was_read(batch.number)
            if batch.final and self._on_input_end:
                self._on_input_end()
            with self.turn:
                if self._tracer and batch.sampled:
                    self._source.trace(self._tracer, batch, branching=self._branching)
                self._runner.read(batch, payloads)
                if self._tracer and self._source.was_short:
                    self._tracer.flush()  # the next read may block
            self._meter.was_done(batch.number)
            self._account.read = batch.last
            if not batch.final:
                self._meter.worked_off(time.perf_counter() - began)
            self._meter.rest()
            if self._on_progress:
                state = "drained" if batch.final else "running"
                batches = batch.number - batch.final
                self._on_progress(self._account.progress(batches, state))
            if batch.final:
                return batch
