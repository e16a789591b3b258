"""One run of the memory profile with all that belongs to it: its exporters, requests and stop."""

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

#: How long exporters have behind a stop by force.
_FORCED_SECONDS: Final = 0.5


class LocalRun:
    """Made by :meth:`make`, worked off by :meth:`work`, let go of by :meth:`close`, in one thread.

    :meth:`request_stop` and what only tells how it stands are for any thread.

    :param transport: opens the run itself.
    :param on_line: is told what the sink has to say, as a line of the one worker's.
    :param on_drain: called, in a thread of its own, when a requested stop begins to drain.
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
        """Have the way to break into the work where it does not end as a stop asks it to."""
        self._times.break_in = break_in

    @property
    def made(self) -> bool:
        """Whether :meth:`make` has been called and found all it needs."""
        return self._run is not None

    def profile_into(self, folder: str, on_failure: Callable[[ProfileError], object]) -> None:
        """Have it, which is not made yet, write what it measures to a folder."""
        from sk_supervisor._profile.measures import Profiler

        self._profiler = Profiler(folder, WORKER, MEMORY, on_failure=on_failure)

    def make(self) -> None:
        """Make the nodes, the adapters and the exporters; nothing is read yet.

        :raises KernelError, ExporterSetupError: when one of them cannot be made.
        :raises OSError: when the system has no thread to give.
        """
        self._run = self._opened()
        self._stop.start()

    def work(self) -> RunReport:
        """Run it to the end of its input, which a requested stop brings about.

        :raises ForcedStop: when a second signal cut it short, before it had done its work.
        :raises KernelError: when a node or an adapter failed, the source's interrupt among them.
        """
        assert self._run is not None  # noqa: S101 - the caller has made it
        if self._profiler is not None:
            self._profiler.begin()
        if self._stop.requests.reasons:
            self._run.stop()  # nothing is read: the thread may come too late for a short input
        try:
            report = self._run.run()
        finally:
            self._times.end()
        self._stop.close()
        if self._not_interrupted and report.outcome == "stopped":
            raise self._not_interrupted
        return report

    def raise_if_out_of_time(self) -> None:
        """See whether it was a stop's budget that broke into the work.

        :raises StopTimeoutError: when it was.
        """
        if self._times.over and self.report is None:
            raise StopTimeoutError([WORKER], self._times.seconds)

    @property
    def opened(self) -> bool:
        """Whether source and sink are open: the start is behind it."""
        return self._run is not None and self._run.opened

    @property
    def report(self) -> RunReport | None:
        """What it did, once all work is done, even where what is behind that was cut short."""
        return self._run.report if self._run else None

    def tell(self, report: RunReport) -> None:
        """Say what the sink could not sum up, and write the profile, where one was asked for."""
        if self._run is not None and self._run.unsummed:
            self._on_line(WORKER, "stderr", f"warning: {self._run.unsummed}")
        if self._profiler is not None:
            self._profiler.write(report.records_in)

    def request_stop(self, reason: str, *, force: bool) -> None:
        """End the input and drain. Safe in a signal handler.

        :param force: drain without delay, and give exporters little time. Who ends the work breaks
            into it.
        """
        self._stop.request(reason, force=force)

    @property
    def stops(self) -> StopRequests:
        """The requests to stop so far."""
        return self._stop.requests

    def totals(self) -> Totals:
        """What has been measured of its work."""
        return self._run.totals() if self._run else Totals()

    def partial_outputs(self) -> tuple[str, ...]:
        """Where the sink's unfinished output is; empty once it is in place."""
        return self._run.partial_outputs() if self._run else ()

    def span_accounts(self) -> tuple[SpanAccount, ...]:
        """What has become of its spans; empty where none are exported."""
        return (self._spans.account(WORKER),) if self._spans else ()

    def close(self, *, forced: bool) -> None:
        """Let go of everything; legal more than once.

        :param forced: whether exporters have no more time than they have had.
        """
        self._requests.close()  # before what may wait for them to settle
        self._stop.close()
        self._times.end()
        if self._run is not None:
            self._run.close()  # does nothing if it has run
        if self._spans is not None:
            self._spans.finish(0.0 if forced else math.inf)
            self._spans.close()  # nothing where the run has done it, as runs do

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

    def _ended(self) -> None:
        """The run's own end, before what is closed: behind a stop by force with little time."""
        self._requests.close(self._run.failure if self._run else None)
        if self._spans is not None and self._stop.requests.forced:
            self._spans.finish(_FORCED_SECONDS)
        if self._run is not None:
            self._times.closing(self._run.leave_close)

    def _drain(self) -> None:
        if self._run is None:
            return
        self._times.begin()
        self._on_drain()
        # Callers first: what they have asked is answered while everything still works, if in time.
        now, forced = time.monotonic(), self._stop.requests.forced
        ladder = Ladder.within(self._times.seconds, now)
        self._requests.settle(now if forced else ladder.requests_until(now))
        self._times.leave_soon(self._run.leave_source)
        try:
            self._run.stop()
        except AdapterFailedError as error:
            self._not_interrupted = error  # of a thread that nobody hears: work() raises it
