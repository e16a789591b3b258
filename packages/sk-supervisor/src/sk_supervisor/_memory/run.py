"""One run of the memory profile, with its exporters, requests and stop."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sk_kernel import AdapterFailedError, Progress, RunReport
from sk_kernel.runtime import MemoryRun
from sk_observability import SpanFanOut, build_span_exporters

from sk_supervisor._lives.ladder import Ladder
from sk_supervisor._memory.life import WORKER
from sk_supervisor._memory.requests import LocalRequests
from sk_supervisor._memory.stop_thread import StopThread
from sk_supervisor._memory.stop_times import StopTimes
from sk_supervisor._plan.preflight import Prepared, span_choices
from sk_supervisor._supervisor.transport import Transport

if TYPE_CHECKING:  # a run that measures nothing starts without it
    from sk_supervisor._profile.measures import Profiler

#: How long exporters may take after a stop by force.
_FORCED_SECONDS: Final = 0.5


class LocalRun:
    """A run: call :meth:`make`, :meth:`work` and :meth:`close` in this order, in one thread.

    Its parts are public. ``memory`` is the run itself, and ``spans`` are its exporters if it is
    traced; both are None before :meth:`make`. ``stop`` takes the requests to stop, in any thread,
    and ``times`` limits the time of the stop. ``profiler`` may be set before :meth:`make`.

    :param transport: creates the :class:`MemoryRun`.
    :param requests: opened, drained and closed as the run proceeds.
    :param on_drain: called, in the stop thread, when a requested stop begins to drain.
    """

    def __init__(
        self,
        prepared: Prepared,
        run_id: str,
        transport: Transport[type[MemoryRun]],
        requests: LocalRequests,
        *,
        on_progress: Callable[[Progress], None],
        on_drain: Callable[[], object],
    ) -> None:
        self._prepared, self._run_id, self._transport = prepared, run_id, transport
        self._requests = requests
        self._on_progress, self._on_drain = on_progress, on_drain
        self.memory: MemoryRun | None = None
        self.spans: SpanFanOut | None = None
        self.profiler: Profiler | None = None
        delay = prepared.config.runtime.platform.health.drain_delay_seconds
        self.stop = StopThread(self._drain, delay)
        self.times = StopTimes(prepared.stop_seconds)
        self._not_interrupted: AdapterFailedError | None = None

    def make(self) -> None:
        """Create the nodes, the adapters and the exporters; nothing is read yet.

        :raises KernelError, ExporterSetupError: when one of them cannot be created.
        :raises OSError: when the system cannot start a thread.
        """
        try:
            self.memory = self._opened()
        except BaseException:
            self.times.end()
            raise
        self.stop.start()

    def work(self) -> RunReport:
        """Run to the end of input; a requested stop ends the input early.

        :raises ForcedStop: when the work was interrupted before it was done: by a second signal, or
            because the budget of a stop was over, as ``times`` says.
        :raises KernelError: when a node or an adapter failed, or the source's interrupt did.
        """
        run = self.memory
        assert run is not None  # noqa: S101 - the caller has made it
        if self.profiler is not None:
            self.profiler.begin()
        if self.stop.requests.reasons:
            run.stop()  # so that nothing is read: the stop thread may be too late for that
        try:
            report = run.run()
        finally:
            self.times.end()
        self.stop.close()
        if self._not_interrupted and report.outcome == "stopped":
            raise self._not_interrupted
        return report

    def close(self, *, forced: bool) -> None:
        """Release everything. Idempotent.

        :param forced: whether exporters get no more time.
        """
        self._requests.close()  # first, as the stop thread may wait for requests to settle
        self.stop.close()
        try:
            if self.memory is not None:
                self.memory.close()  # does nothing if it has run
        finally:
            self.times.end()
        if self.spans is not None:
            self.spans.finish(0.0 if forced else math.inf)
            self.spans.close()  # does nothing if the run has closed them

    def _opened(self) -> MemoryRun:
        tracing = self._prepared.config.runtime.observability.tracing
        choices, seconds = span_choices(self._prepared.config), self._prepared.flush_seconds
        exporters = build_span_exporters(
            choices, worker=WORKER, close_seconds=seconds, run_id=self._run_id
        )
        self.spans = SpanFanOut(exporters) if exporters else None
        observers = [self.spans] if self.spans else []
        try:
            return self._transport.open(
                self._prepared.application,
                self._run_id,
                limits=self._prepared.limits,
                observers=observers,
                sampling_ratio=tracing.sampling_ratio,
                on_progress=self._on_progress,
                stopwatch=self.profiler.main if self.profiler else None,
                on_open=self._requests.open,
                on_input_end=self._requests.drain,
                on_end=self._ended,
            )
        except BaseException:
            for observer in observers:
                observer.close()
            raise

    def _ended(self, failure: BaseException | None, leave_close: Callable[[], None]) -> None:
        """Handle the end of the run, or a failure to create it, before anything is closed."""
        self._requests.close(failure)
        if self.spans is not None and self.stop.requests.forced:
            self.spans.finish(_FORCED_SECONDS)
        self.times.closing(leave_close)

    def _drain(self) -> None:
        if self.memory is None:
            return
        self.times.begin()
        self._on_drain()
        # Requests first: they are answered, within their time, while everything still works.
        ladder = Ladder.within(self.times.seconds, 0.0)
        self._requests.settle(0.0 if self.stop.requests.forced else ladder.requests_until(0.0))
        self.times.leave_soon(self.memory.leave_source)
        try:
            self.memory.stop()
        except AdapterFailedError as error:
            self._not_interrupted = error  # work() raises it, in the thread of the run
