"""The supervisor of the memory profile, which runs in this process with the usual lifecycle."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from sk_kernel import (
    AdapterFailedError,
    DeadLetterError,
    EventRail,
    GroupStatus,
    KernelError,
    Progress,
    RunReport,
    RunSetup,
    RunStatus,
    Totals,
)
from sk_kernel.runtime import MEMORY, Container, MemoryRun
from sk_observability import EventName, ExporterSetupError

from sk_supervisor._lives.ladder import Rung
from sk_supervisor._memory.life import WORKER, LocalLife
from sk_supervisor._memory.requests import LocalRequests
from sk_supervisor._memory.run import LocalRun
from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._processes.output import OnLine
from sk_supervisor._supervisor.base import SupervisorBase
from sk_supervisor._supervisor.transport import Transport, scope_of, transport_in
from sk_supervisor._system.signals import BreakIn, ForcedStop
from sk_supervisor.errors import RuntimeLifecycleResolutionError

if TYPE_CHECKING:
    from sk_supervisor.errors import ProfileError

#: The transport that passes batches on within this process.
IN_PROCESS: Final = Transport(MEMORY, MemoryRun)
#: The errors that count as a failed start if source and sink are not open yet.
_OF_A_START: Final = AdapterFailedError | DeadLetterError


class LocalBootstrapSupervisor(SupervisorBase):
    """A :class:`sk_kernel.BootstrapSupervisor` whose one group, ``memory``, is this process.

    :meth:`run` works in the caller's thread; :meth:`request_stop` may be called in any thread.

    :param on_progress: called in the thread of :meth:`run` after each batch; it must not raise.
    :param on_line: called with the worker's id, ``stderr`` and a line, for a warning of the sink.
    :param scope: the scope that binds its transport; by default that of the memory profile.
    :raises RuntimeLifecycleResolutionError: when no transport is bound there.
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
        transport: Transport[type[MemoryRun]] = transport_in(scope or scope_of(IN_PROCESS))
        self._run_id, self._log = run_id, log
        self._scenario = prepared.config.scenario.name
        self._on_progress, self._on_line = on_progress, on_line
        self._life = LocalLife(log)
        self._was_open = False
        self.close_seconds = prepared.stop_seconds
        requests = LocalRequests(prepared, run_id, self._request_failed)
        self.handoff = requests.handoff
        self._run = LocalRun(
            prepared,
            run_id,
            transport,
            requests,
            on_progress=self._progressed,
            on_drain=lambda: log.emit("drain_begun"),
        )

    @property
    def works_in_caller(self) -> bool:
        """True: :meth:`run` does the work in its caller's thread."""
        return True

    def start_groups(self, group_names: Sequence[str]) -> None:
        """Create the nodes and adapters. The one group is started whether it is named or not.

        :raises RuntimeLifecycleResolutionError: for another group, or when it was started before.
        :raises RuntimeLifecycleReadyError: when a node, adapter or exporter cannot be created.
        """
        _check(group_names)
        if self._run.memory is not None:
            raise RuntimeLifecycleResolutionError(MEMORY, "has been started already")
        self._log.emit(EventName.SUPERVISOR_START_GROUPS, fields={"groups": MEMORY})
        self._life.moved("starting", EventName.WORKER_SPAWNED, pid=os.getpid())
        try:
            self._run.make()
        except (KernelError, ExporterSetupError, OSError) as error:
            raise self._life.failed_to_start(error) from error
        except (SystemExit, KeyboardInterrupt) as error:
            self._life.raise_failure(error, starting=True)
        self._life.moved("ready", EventName.WORKER_READY)

    def wait_ready(self, timeout_seconds: float) -> bool:
        """Return whether the group is ready, which it is as soon as it has been started.

        :raises RuntimeLifecycleResolutionError: when it was not started.
        """
        if timeout_seconds <= 0:
            return False
        self._started("wait_ready")
        self._log.emit(EventName.SUPERVISOR_WAIT_READY, fields={"timeout_seconds": timeout_seconds})
        return True

    def run(self) -> RunReport:
        """See :meth:`sk_kernel.BootstrapSupervisor.run`.

        :raises RuntimeLifecycleResolutionError: when it was not started.
        :raises RuntimeLifecycleReadyError: when an adapter, or the folder of dead letters, cannot
            be opened.
        :raises RunError, ApplicationExitError: when a node or adapter failed.
        :raises StopTimeoutError: when a requested stop did not drain within its budget.
        """
        run = self._started("run")
        self._log.emit(EventName.SUPERVISOR_START_WORKLOAD)
        self._was_open = True
        self._life.moved("running", EventName.WORKER_RUNNING)
        with self._telling_its_failure():
            try:
                report = self._run.work()
            except ForcedStop:
                self._life.mode = "forced"
                if run.report is None:
                    self._run.times.raise_if_over()
                    raise
                report = run.report  # only what follows the work was interrupted
            except (KernelError, SystemExit, KeyboardInterrupt) as error:
                theirs = not isinstance(error, KernelError) or isinstance(error, _OF_A_START)
                self._life.raise_failure(error, starting=theirs and not run.opened)
        if run.unsummed:
            self._on_line(WORKER, "stderr", f"warning: {run.unsummed}")
        if self._run.profiler is not None:
            self._run.profiler.write(report.records_in)
        return report

    def request_stop(self, reason: str, *, force: bool = False) -> None:
        """End the input and drain. Safe in any thread and in a signal handler.

        With force the drain is not delayed, and exporters have little time; the caller of
        :meth:`run` has to interrupt work that blocks its thread.
        """
        self._run.stop.request(reason, force=force)

    def take_break_in(self, break_in: BreakIn) -> None:
        """Set how to interrupt work that does not end in time after a stop was requested."""
        self._run.times.break_in = break_in

    def profile_into(self, folder: str, on_failure: Callable[[ProfileError], object]) -> None:
        """Profile the run, which is not made yet, into a folder."""
        from sk_supervisor._profile.measures import Profiler

        self._run.profiler = Profiler(folder, worker_id=WORKER, group=MEMORY, on_failure=on_failure)

    def partial_outputs(self) -> tuple[str, ...]:
        """Where unfinished output is: the sink's, and the dead letters of a run cut short."""
        return self._run.memory.partial_outputs() if self._run.memory else ()

    def stop_groups(self, graceful_timeout_seconds: float, *, drain_inflight: bool) -> None:
        """Shut down: nothing runs besides :meth:`run`, which drains before it returns."""
        self.shutdown()

    def force_terminate_groups(self, group_names: Sequence[str]) -> None:
        """Shut down: there is no process to terminate but the caller's own.

        :raises RuntimeLifecycleResolutionError: for an unknown group.
        """
        _check(group_names)
        self.shutdown()

    def shutdown(self) -> str:
        """See :meth:`sk_kernel.BootstrapSupervisor.shutdown`. Legal in every state. Idempotent."""
        life, forced = self._life, self._life.mode == "forced"
        self._run.close(forced=forced)
        if life.state == "stopped":
            return Rung.NONE.name.lower()
        self._log.emit(EventName.SUPERVISOR_GRACEFUL_STOP)
        if life.state != "failed":
            life.moved("stopping", EventName.WORKER_STOPPING, mode=life.mode)
        life.moved("stopped", EventName.WORKER_STOPPED, mode=life.mode)
        return (Rung.KILL if forced else Rung.STOP).name.lower()

    def snapshot(self) -> RunStatus:
        """See :meth:`sk_kernel.BootstrapSupervisor.snapshot`; the pid is this process's own."""
        run, stops = self._run, self._run.stop.requests
        worker = self._life.status(run.memory.totals() if run.memory else Totals())
        state = self._life.state
        return RunStatus(
            run_id=self._run_id,
            scenario=self._scenario,
            profile="memory",
            state=state,
            ready=state == "running" and not stops.reasons,
            started=self._was_open,
            age_seconds=self._life.age_seconds,
            records_in=worker.records_in,
            records_out=worker.records_out,
            groups=(GroupStatus(name=MEMORY, state=state, workers=(worker,)),),
            stop_reasons=stops.reasons,
            stop_forced=stops.forced,
            requests=self.handoff.counters(),
            request_seconds=self.handoff.waiters.durations(),
            health=dict(self._health),
            spans=(run.spans.account(WORKER),) if run.spans else (),
        )

    def _progressed(self, progress: Progress) -> None:
        self._life.progressed(progress)
        self._on_progress(progress)

    def _started(self, wanted: str) -> MemoryRun:
        """Return the run that was made.

        :raises RuntimeLifecycleResolutionError: when there is none, or it was stopped.
        """
        if self._run.memory is None:
            raise RuntimeLifecycleResolutionError(wanted, "the group has not been started")
        if self._life.state == "stopped":
            raise RuntimeLifecycleResolutionError(wanted, "the group has been stopped")
        return self._run.memory


def _check(group_names: Sequence[str]) -> None:
    for name in group_names:
        if name != MEMORY:
            raise RuntimeLifecycleResolutionError(name, f"is not the group {MEMORY!r}")


def local_supervisor(setup: RunSetup, /) -> LocalBootstrapSupervisor:
    """Create the supervisor of the mode ``inline``: a :class:`sk_kernel.SupervisorFactory`."""
    prepared = Prepared(setup.config, setup.application, setup.plan)
    return LocalBootstrapSupervisor(
        prepared,
        setup.run_id,
        setup.log,
        on_progress=setup.on_progress,
        on_line=setup.on_line,
    )
