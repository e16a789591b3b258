"""The supervisor of the memory profile: no process but this one, the same lifecycle."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from sk_kernel import (
    MEMORY,
    AdapterFailedError,
    Container,
    EventRail,
    GroupStatus,
    KernelError,
    LifecycleEvent,
    MemoryRun,
    Progress,
    RunReport,
    RunSetup,
    RunStatus,
    SpanAccount,
    Totals,
)
from sk_observability import (
    EventName,
    ExporterSetupError,
    SpanFanOut,
    build_span_exporters,
)

from sk_supervisor._asked import Asked
from sk_supervisor._hearing import OnLine
from sk_supervisor._ladder import Rung
from sk_supervisor._local_life import LocalLife
from sk_supervisor._local_requests import LocalRequests
from sk_supervisor._local_status import WORKER
from sk_supervisor._preflight import Prepared, span_choices
from sk_supervisor._scope import Transport, resolve, scope_of
from sk_supervisor._signals import ForcedStop
from sk_supervisor._stop_thread import StopThread
from sk_supervisor.errors import RuntimeLifecycleResolutionError

if TYPE_CHECKING:  # a run that measures nothing starts without it
    from sk_supervisor._profile import Profiler
    from sk_supervisor.errors import ProfileError

#: Batches stay in this process, and move by being handed on.
IN_PROCESS: Final = Transport(MEMORY, MemoryRun)
#: How long exporters have behind a second request to stop.
_FORCED_SECONDS: Final = 0.5


class LocalBootstrapSupervisor(Asked):
    """A :class:`sk_kernel.BootstrapSupervisor` whose one group, ``memory``, is this process.

    :meth:`run` works in the caller's thread; :meth:`request_stop` may come from any.

    :param scope: where its transport is bound; by default that of the memory profile.
    :raises RuntimeLifecycleResolutionError: when none is bound there.
    """

    def __init__(
        self,
        prepared: Prepared,
        run_id: str,
        log: EventRail,
        *,
        on_progress: Callable[[Progress], None] = lambda _: None,
        on_line: OnLine = lambda *_: None,
        scope: Container | None = None,
    ) -> None:
        self._transport: Transport[MemoryRun] = resolve(scope or scope_of(IN_PROCESS), Transport)
        self._prepared, self._run_id, self._log = prepared, run_id, log
        self._on_progress, self._on_line = on_progress, on_line
        self._life = LocalLife(log)
        self._run: MemoryRun | None = None
        self._spans: SpanFanOut | None = None
        self._profiler: Profiler | None = None
        self._was_open = False
        self._requests = LocalRequests(prepared, run_id, self.emit_handoff_failure)
        self.handoff = self._requests.handoff
        delay = prepared.config.runtime.platform.health.drain_delay_seconds
        self._stop = StopThread(self._interrupt, delay)
        self._not_interrupted: AdapterFailedError | None = None

    @property
    def works_in_caller(self) -> bool:
        """It does."""
        return True

    def start_groups(self, group_names: Sequence[str]) -> None:
        """Make the nodes and adapters. The one group may be named; it is started in any case.

        :raises RuntimeLifecycleResolutionError: for another group, or when it was started before.
        :raises RuntimeLifecycleReadyError: when something cannot be made.
        """
        self._check(group_names)
        if self._run is not None:
            raise RuntimeLifecycleResolutionError(MEMORY, "has been started already")
        self._log.emit(EventName.SUPERVISOR_START_GROUPS, fields={"groups": MEMORY})
        self._life.moved("starting", EventName.WORKER_SPAWNED, pid=os.getpid())
        try:
            self._run = self._made()
            self._stop.start()
        except (KernelError, ExporterSetupError, OSError) as error:
            raise self._life.failed_to_start(error) from error
        except (SystemExit, KeyboardInterrupt) as error:
            self._life.raise_failure(error, starting=True)
        self._life.moved("ready", EventName.WORKER_READY)

    def wait_ready(self, timeout_seconds: float) -> bool:
        """Ready as soon as started.

        :raises RuntimeLifecycleResolutionError: when it was not started.
        """
        if timeout_seconds <= 0:
            return False
        self._started("wait_ready")
        self._log.emit(EventName.SUPERVISOR_WAIT_READY, fields={"timeout_seconds": timeout_seconds})
        return True

    def run(self) -> RunReport:
        """See the protocol.

        :raises RuntimeLifecycleResolutionError: when it was not started.
        :raises RuntimeLifecycleReadyError: when an adapter cannot be opened.
        :raises RunError, ApplicationExitError: when a node or adapter failed.
        """
        run = self._started("run")
        self._log.emit(EventName.SUPERVISOR_START_WORKLOAD)
        self._was_open = True
        self._life.moved("running", EventName.WORKER_RUNNING)
        try:
            if self._profiler is not None:
                self._profiler.begin()
            report = run.run()
            self._stop.close()
            if self._not_interrupted and report.outcome == "stopped":
                raise self._not_interrupted
        except ForcedStop:
            self._life.mode = "forced"
            if run.report is None:
                raise
            report = run.report  # what was cut short is no more than what was told of it
        except (KernelError, SystemExit, KeyboardInterrupt) as error:
            self._life.raise_failure(error)
        if run.unsummed:
            self._on_line(WORKER, "stderr", f"warning: {run.unsummed}")
        if self._profiler is not None:
            self._profiler.write(report.records_in)
        return report

    def request_stop(self, reason: str) -> None:
        """End the input and drain. Safe in any thread and in a signal handler."""
        self._stop.request(reason)

    def profile_into(self, folder: str, on_failure: Callable[[ProfileError], object]) -> None:
        """Have the run, which is not made yet, write what it measures to a folder."""
        from sk_supervisor._profile import Profiler

        self._profiler = Profiler(folder, WORKER, MEMORY, on_failure=on_failure)

    @property
    def stop_reasons(self) -> tuple[str, ...]:
        """The requests to stop so far, in order."""
        return self._stop.reasons

    def partial_outputs(self) -> tuple[str, ...]:
        """Where the sink's unfinished output is; empty once it is in place."""
        return self._run.partial_outputs() if self._run else ()

    def stop_groups(self, graceful_timeout_seconds: float, *, drain_inflight: bool) -> None:
        """Nothing runs beside :meth:`run`, which drains before it returns."""
        self.shutdown()

    def force_terminate_groups(self, group_names: Sequence[str]) -> None:
        """There is no process to terminate but the caller's own.

        :raises RuntimeLifecycleResolutionError: for an unknown group.
        """
        self._check(group_names)
        self.shutdown()

    def shutdown(self) -> str:
        """See the protocol. Legal in every state, and more than once."""
        self._requests.close()  # before what may wait for them to settle
        self._stop.close()
        life, forced = self._life, self._life.mode == "forced"
        if self._spans is not None:
            self._spans.finish(0.0 if forced else math.inf)
            self._spans.close()  # nothing where the run has done it, as runs do
        if life.state == "stopped":
            return Rung.NONE.name.lower()
        self._log.emit(EventName.SUPERVISOR_GRACEFUL_STOP)
        if life.state != "failed":
            life.moved("stopping", EventName.WORKER_STOPPING, mode=life.mode)
        life.moved("stopped", EventName.WORKER_STOPPED, mode=life.mode)
        return (Rung.KILL if forced else Rung.STOP).name.lower()

    def snapshot(self) -> RunStatus:
        """See the protocol; the pid is this process's own."""
        worker = self._life.status(self._run.totals() if self._run else Totals())
        state = self._life.state
        return RunStatus(
            run_id=self._run_id,
            scenario=self._prepared.config.scenario.name,
            profile="memory",
            state=state,
            ready=state == "running" and not self._stop.reasons,
            started=self._was_open,
            age_seconds=self._life.age_seconds,
            records_in=worker.records_in,
            records_out=worker.records_out,
            groups=(GroupStatus(name=MEMORY, state=state, workers=(worker,)),),
            stop_reasons=self._stop.reasons,
            requests=self.handoff.counters(),
            spans=self._span_accounts(),
        )

    def lifecycle_events(self) -> Sequence[LifecycleEvent]:
        """See the protocol."""
        return self._log.events()

    def subscribe(self, after_sequence: int) -> Sequence[LifecycleEvent]:
        """See the protocol."""
        return self._log.after(after_sequence)

    def _made(self) -> MemoryRun:
        tracing = self._prepared.config.runtime.observability.tracing
        choices, seconds = span_choices(self._prepared.config), self._prepared.flush_seconds
        exporters = build_span_exporters(choices, worker=WORKER, close_seconds=seconds)
        self._spans = SpanFanOut(exporters) if exporters else None
        observers = [self._spans] if self._spans else []
        try:
            return self._transport.open(
                self._prepared.application,
                self._run_id,
                limits=self._prepared.limits,
                observers=observers,
                sampling_ratio=tracing.sampling_ratio,
                on_progress=self._progressed,
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
        self._requests.close()
        if self._spans is not None and len(self._stop.reasons) > 1:
            self._spans.finish(_FORCED_SECONDS)

    def _span_accounts(self) -> tuple[SpanAccount, ...]:
        return (self._spans.account(WORKER),) if self._spans else ()

    def _progressed(self, progress: Progress) -> None:
        self._life.progressed(progress)
        self._on_progress(progress)

    def _started(self, wanted: str) -> MemoryRun:
        if self._run is None:
            raise RuntimeLifecycleResolutionError(wanted, "the group has not been started")
        if self._life.state == "stopped":
            raise RuntimeLifecycleResolutionError(wanted, "the group has been stopped")
        return self._run

    @staticmethod
    def _check(group_names: Sequence[str]) -> None:
        for name in group_names:
            if name != MEMORY:
                raise RuntimeLifecycleResolutionError(name, f"is not the group {MEMORY!r}")

    def _interrupt(self) -> None:
        if self._run is not None:
            self._log.emit("drain_begun")
            # Callers first: what they have asked is answered while everything still works.
            self._requests.settle()
            try:
                self._run.stop()
            except AdapterFailedError as error:
                self._not_interrupted = error  # of a thread that nobody hears


def local_supervisor(setup: RunSetup, /) -> LocalBootstrapSupervisor:
    """The :class:`sk_kernel.SupervisorFactory` of the mode ``inline``."""
    prepared = Prepared(setup.config, setup.application, setup.plan)
    return LocalBootstrapSupervisor(
        prepared,
        setup.run_id,
        setup.log,
        on_progress=setup.on_progress,
        on_line=setup.on_line,
    )
