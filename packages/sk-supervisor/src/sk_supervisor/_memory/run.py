"""One run of the memory profile, with its exporters, requests and stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sk_kernel import AdapterFailedError, Progress, RunReport, SpanAccount, Totals
from sk_kernel.runtime import MEMORY, MemoryRun
from sk_observability import SpanFanOut, build_span_exporters

from sk_supervisor._lives.ladder import Ladder
from sk_supervisor._lives.stop_requests import StopRequests
from sk_supervisor._memory.life import WORKER
from sk_supervisor._memory.requests import LocalRequests
from sk_supervisor._memory.stop_thread import StopThread
from sk_supervisor._memory.stop_times import StopTimes
from sk_supervisor._plan.preflight import Prepared, span_choices
from sk_supervisor._processes.output import OnLine
from sk_supervisor._system.scope import Transport
from sk_supervisor._system.signals import BreakIn
from sk_supervisor.errors import StopTimeoutError

if TYPE_CHECKING:  # a run that measures nothing starts without it
    from sk_supervisor._profile.measures import Profiler
    from sk_supervisor.errors import ProfileError

#: How long exporters may take after a stop by force.
_FORCED_SECONDS: Final = 0.5


class LocalRun:
    """A run: call :meth:`make`, :meth:`work` and :meth:`close` in this order, in one thread.

    :meth:`request_stop` and the methods that only report may be called in any thread.

    :param transport: creates the :class:`MemoryRun`.
    :param on_line: called with a warning of the sink, as a line of the one worker.
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
        on_line: OnLine,
        on_drain: Callable[[], object],
    ) -> None:
        self._prepared, self._run_id, self._transport = prepared, run_id, transport
        self._requests = requests
        self._on_progress, self._on_line, self._on_drain = on_progress, on_line, on_drain
        self._run: MemoryRun | None = None
        self._spans: SpanFanOut | None = None
        self._profiler: Profiler | None = None
        delay = prepared.config.runtime.platform.health.drain_delay_seconds
        self._stop = StopThread(self._drain, delay)
        self._times = StopTimes(prepared.stop_seconds)
        self._not_interrupted: AdapterFailedError | None = None

    def take_break_in(self, break_in: BreakIn) -> None:
        """Set how to interrupt work that does not end in time after a stop was requested."""
        self._times.break_in = break_in

    @property
    def made(self) -> bool:
        """Whether :meth:`make` has succeeded."""
        return self._run is not None

    def profile_into(self, folder: str, on_failure: Callable[[ProfileError], object]) -> None:
        """Profile the run, which is not made yet, into a folder."""
        from sk_supervisor._profile.measures import Profiler

        self._profiler = Profiler(folder, WORKER, MEMORY, on_failure=on_failure)

    def make(self) -> None:
        """Create the nodes, the adapters and the exporters; nothing is read yet.

        :raises KernelError, ExporterSetupError: when one of them cannot be created.
        :raises OSError: when the system cannot start a thread.
        """
        try:
            self._run = self._opened()
        except BaseException:
            self._times.end()
            raise
        self._stop.start()

    def work(self) -> RunReport:
        """Run to the end of input; a requested stop ends the input early.

        :raises ForcedStop: when a second signal interrupted the work before it was done.
        :raises KernelError: when a node or an adapter failed, or the source's interrupt did.
        """
        assert self._run is not None  # noqa: S101 - the caller has made it
        if self._profiler is not None:
            self._profiler.begin()
        if self._stop.requests.reasons:
            self._run.stop()  # so that nothing is read: the stop thread may be too late for that
        try:
            report = self._run.run()
        finally:
            self._times.end()
        self._stop.close()
        if self._not_interrupted and report.outcome == "stopped":
            raise self._not_interrupted
        return report

    def raise_if_out_of_time(self) -> None:
        """Raise if the work was interrupted because the stop's time budget was over.

        :raises StopTimeoutError: if so.
        """
        if self._times.over and self.report is None:
            raise StopTimeoutError([WORKER], self._times.seconds)

    @property
    def opened(self) -> bool:
        """Whether source and sink have been opened, so that the start is complete."""
        return self._run is not None and self._run.opened

    @property
    def report(self) -> RunReport | None:
        """The report, available when all work is done, even if the closing was interrupted."""
        return self._run.report if self._run else None

    def tell(self, report: RunReport) -> None:
        """Warn if the sink's summary failed, and write the profile if one was requested."""
        if self._run is not None and self._run.unsummed:
            self._on_line(WORKER, "stderr", f"warning: {self._run.unsummed}")
        if self._profiler is not None:
            self._profiler.write(report.records_in)

    def request_stop(self, reason: str, *, force: bool) -> None:
        """End the input and drain. Safe in a signal handler.

        :param force: drain without delay, and give exporters little time. Work that does not end
            is interrupted by the caller of :meth:`work`, not here.
        """
        self._stop.request(reason, force=force)

    @property
    def stops(self) -> StopRequests:
        """The requests to stop so far."""
        return self._stop.requests

    def totals(self) -> Totals:
        """The totals that have been measured so far."""
        return self._run.totals() if self._run else Totals()

    def partial_outputs(self) -> tuple[str, ...]:
        """Where unfinished output is: the sink's, and the dead letters of a run cut short."""
        return self._run.partial_outputs() if self._run else ()

    def span_accounts(self) -> tuple[SpanAccount, ...]:
        """The account of the run's spans; empty if none are exported."""
        return (self._spans.account(WORKER),) if self._spans else ()

    def close(self, *, forced: bool) -> None:
        """Release everything. Idempotent.

        :param forced: whether exporters get no more time.
        """
        self._requests.close()  # first, as the stop thread may wait for requests to settle
        self._stop.close()
        try:
            if self._run is not None:
                self._run.close()  # does nothing if it has run
        finally:
            self._times.end()
        if self._spans is not None:
            self._spans.finish(0.0 if forced else math.inf)
            self._spans.close()  # does nothing if the run has closed them

    def _opened(self) -> MemoryRun:
        tracing = self._prepared.config.runtime.observability.tracing
        choices, seconds = span_choices(self._prepared.config), self._prepared.flush_seconds
        exporters = build_span_exporters(
            choices, worker=WORKER, close_seconds=seconds, run_id=self._run_id
        )
        self._spans = SpanFanOut(exporters) if exporters else None
        observers = [self._spans] if self._spans else []
        try:
            return self._transport.open(
                self._prepared.application,
                self._run_id,
                limits=self._prepared.limits,
                observers=observers,
                sampling_ratio=tracing.sampling_ratio,
                on_progress=self._on_progress,
                stopwatch=self._profiler.main if self._profiler else None,
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
        if self._spans is not None and self._stop.requests.forced:
            self._spans.finish(_FORCED_SECONDS)
        self._times.closing(leave_close)

    def _drain(self) -> None:
        if self._run is None:
            return
        self._times.begin()
        self._on_drain()
        # Requests first: they are answered, within their time, while everything still works.
        now, forced = time.monotonic(), self._stop.requests.forced
        ladder = Ladder.within(self._times.seconds, now)
        self._requests.settle(now if forced else ladder.requests_until(now))
        self._times.leave_soon(self._run.leave_source)
        try:
            self._run.stop()
        except AdapterFailedError as error:
            self._not_interrupted = error  # work() raises it, in the thread of the run
