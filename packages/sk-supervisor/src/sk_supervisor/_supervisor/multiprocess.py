"""The supervisor of worker processes: it passes each call on to one of its parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from sk_kernel import EventRail, Progress, RunReport, RunSetup, RunStatus
from sk_kernel.runtime import Container
from sk_observability import EventName

from sk_supervisor._lives.lifecycle import State, overall
from sk_supervisor._loop.loop_events import Ping, StopRequested
from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._plan.supervisors import PROCESS_SUPERVISOR
from sk_supervisor._processes.output import OnLine
from sk_supervisor._session.session import Session
from sk_supervisor._session.standby import StandbyPool
from sk_supervisor._supervisor.base import SupervisorBase
from sk_supervisor._supervisor.parts import SupervisorParts
from sk_supervisor._supervisor.report import ends_of, report_of, unsummed, with_letters
from sk_supervisor._supervisor.transport import Transport, scope_of, transport_in
from sk_supervisor.errors import ProfileError, RuntimeLifecycleResolutionError

if TYPE_CHECKING:  # needed by profiled runs only
    from sk_supervisor._profile.measures import Profiler

#: Batches go through queues of the hub and over signed channels, on loopback.
TCP_LOCAL: Final = Transport("tcp_local", Session)


class MultiprocessBootstrapSupervisor(SupervisorBase):
    """A :class:`sk_kernel.BootstrapSupervisor` over OS processes.

    Any thread may call :meth:`request_stop`, :meth:`ping`, :meth:`snapshot`, and the methods for
    events and requests. Call all others from one thread, which must live as long as the workers:
    Linux ends them when the thread that spawned them ends.

    :param on_progress: called in that thread whenever a worker has reported something new; it must
        not raise.
    :param on_line: called from a thread per worker with the worker's id, ``stdout`` or ``stderr``,
        and each line written there; the standard output of the sink's worker is not captured. If
        ``on_line`` raises, it is not called again for that worker.
    :param scope: binds the transport; by default that of ``tcp_local``.
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
        transport: Transport[type[Session]] = transport_in(scope or scope_of(TCP_LOCAL))
        self._prepared, self._run_id, self._log = prepared, run_id, log
        self._on_line = on_line
        self._began = time.monotonic()
        self._profiling: tuple[str, Callable[[ProfileError], object]] | None = None
        self._parts = SupervisorParts(
            prepared,
            run_id,
            log,
            transport,
            on_progress=on_progress,
            on_line=on_line,
            on_handoff_failure=self._request_failed,
        )
        self.handoff = self._parts.handoff

    @property
    def works_in_caller(self) -> bool:
        """False: worker processes do the work."""
        return False

    def start_groups(self, group_names: Sequence[str]) -> None:
        """See the protocol.

        :raises RuntimeLifecycleResolutionError: for an unknown group, or a group started before.
        :raises RuntimeLifecycleReadyError: when a port is not free or a process cannot be created.
        """
        self._parts.starting.start(group_names)

    def wait_ready(self, timeout_seconds: float) -> bool:
        """See the protocol.

        :raises RuntimeLifecycleReadyError: when a worker failed, or took longer than its group's
            ``start_timeout_seconds``.
        :raises RuntimeLifecycleResolutionError: when no group has been started.
        :raises StartInterruptedError: when a stop was requested before the workers were ready.
        """
        if timeout_seconds <= 0:
            return False
        started = self._parts.starting.started()
        if not started:
            raise RuntimeLifecycleResolutionError("wait_ready", "no group has been started")
        self._log.emit(EventName.SUPERVISOR_WAIT_READY, fields={"timeout_seconds": timeout_seconds})
        return self._parts.waiting.until_ready(started, timeout_seconds)

    def run(self) -> RunReport:
        """See the protocol.

        :raises RuntimeWorkerFailedError: when a worker failed.
        :raises RuntimeLifecycleReadyError: when a worker failed before it was ready; or, if the
            gate does not wait for all groups, when not all were ready within the configured time.
        :raises StartInterruptedError: when a stop was requested before every group was ready.
        :raises StopTimeoutError: when a requested stop did not drain within its budget.
        :raises StopForcedError: when a forced stop was requested before the run had drained.
        :raises RuntimeLifecycleResolutionError: when the groups were not started, or not ready.
        :raises DeadLetterError: when the dead letters of a drained run cannot be merged.
        """
        began, parts = time.monotonic(), self._parts
        work = parts.work
        parts.waiting.catch_up()
        work.check_startable()
        profiler = self._profiler()
        with self._telling_its_failure():
            self._begin_work()
            parts.waiting.until_done()
        session = parts.session.current
        assert session and work.source and work.sink  # noqa: S101, PT018 - all were started
        seconds, totals = time.monotonic() - began, parts.roster.totals().values()
        report = report_of(
            self._prepared,
            self._run_id,
            source=work.source,
            sink=work.sink,
            seconds=seconds,
            totals=totals,
        )
        if work.sink.drained is None:
            self._on_line(work.sink.worker_id, "stderr", unsummed(work.sink))
        if profiler is not None:
            profiler.write(report.records_in)
        return with_letters(report, parts.letters, session.relay.share)

    def request_stop(self, reason: str, *, force: bool = False) -> None:
        """See the protocol. Safe in any thread and in a signal handler."""
        self._parts.mailbox.put(StopRequested(reason, force))

    def take_standby(self, pool: StandbyPool) -> None:
        """Use these processes as workers, as far as there are any."""
        self._parts.starting.take_standby(pool)
        self._began = pool.began_at

    def profile_into(self, folder: str, on_failure: Callable[[ProfileError], object]) -> None:
        """Have the run write its measurements to a folder. Call it before anything is started.

        :param on_failure: called with the error if the supervisor cannot write its own
            measurements.
        """
        self._profiling = folder, on_failure
        self._parts.starting.profile_into(folder)

    def ping(self, answer: Callable[[], None]) -> None:
        """Have the loop call ``answer`` at its next turn. Safe in any thread."""
        self._parts.mailbox.put(Ping(answer))

    def partial_outputs(self) -> tuple[str, ...]:
        """Return the places of unfinished output and dead letters; empty once committed."""
        said = tuple(path for r in self._parts.roster for path in r.unfinished_outputs())
        return said + self._parts.letters.partial_outputs()

    @property
    def output_is_in_doubt(self) -> bool:
        """Whether the sink may have committed although its worker ended before it could report.

        Known after the shutdown.
        """
        return self._parts.work.in_doubt

    def stop_groups(self, graceful_timeout_seconds: float, *, drain_inflight: bool) -> None:
        """See the protocol; workers that are left at the end of the time are not terminated.

        :raises StopTimeoutError: a ``TimeoutError``, when not all workers have ended in time.
        """
        self._parts.ending.stop(graceful_timeout_seconds, drain_inflight=drain_inflight)

    def force_terminate_groups(self, group_names: Sequence[str]) -> None:
        """See the protocol: sends SIGTERM, and SIGKILL one second later.

        :raises RuntimeLifecycleResolutionError: for an unknown group.
        """
        self._parts.starting.configured(group_names)
        self._parts.ending.force(group_names)

    def shutdown(self) -> str:
        """See the protocol. Legal in every state, and more than once."""
        parts = self._parts
        if parts.causes.failed is not None:
            # The hub may not have noticed the loss yet: fail the requests that the lost worker has.
            parts.session.fail_requests_of(parts.causes.failed.worker_id)
        self.handoff.close()
        rung = parts.ending.stop_all()
        parts.letters.abort()
        parts.work.close_session()
        parts.refusals.tell_rest()
        return rung.name.lower()

    def snapshot(self) -> RunStatus:
        """See the protocol."""
        parts, work = self._parts, self._parts.work
        groups = parts.roster.snapshot(parts.clock.now())
        records_in, records_out = ends_of(self._prepared.plan, groups)
        return RunStatus(
            run_id=self._run_id,
            scenario=self._prepared.config.scenario.name,
            profile=PROCESS_SUPERVISOR,
            state=str(overall(State(group.state) for group in groups)),
            ready=work.is_open and work.all_ready() and not parts.draining.is_ending,
            started=work.is_open and work.all_begun(),
            age_seconds=time.monotonic() - self._began,
            records_in=records_in,
            records_out=records_out,
            groups=groups,
            refusals=parts.refusals.totals(),
            stop_reasons=parts.causes.stops.reasons,
            stop_forced=parts.causes.forced,
            requests=self.handoff.counters(),
            request_seconds=self.handoff.waiters.durations(),
            health=dict(self._health),
            spans=parts.spans.accounts(),
        )

    def _begin_work(self) -> None:
        """Open the gate; return when every group was told to start.

        If the groups start one by one, the readiness timeout applies until the last one has
        started.
        """
        work, policy = self._parts.work, {"policy": str(self._parts.work.policy)}
        if work.all_ready():
            self._log.emit(EventName.SUPERVISOR_START_WORKLOAD, fields=policy)
            self._open_gate()
            return
        patience = float(self._prepared.config.runtime.platform.readiness_timeout_seconds)
        facts = {"timeout_seconds": patience, **policy}
        self._log.emit(EventName.SUPERVISOR_WAIT_READY, fields=facts)
        self._open_gate()
        self._parts.waiting.until_begun(patience)
        self._log.emit(EventName.SUPERVISOR_START_WORKLOAD, fields=policy)

    def _open_gate(self) -> None:
        self._parts.work.open()
        session = self._parts.session.current
        assert session is not None  # noqa: S101 - every group was started in it
        self.handoff.open(session.gateway)

    def _profiler(self) -> Profiler | None:
        if self._profiling is None:
            return None
        from sk_supervisor._profile.measures import Profiler

        folder, on_failure = self._profiling
        return Profiler(folder, worker_id="supervisor", group="", on_failure=on_failure)


def multiprocess_supervisor(setup: RunSetup, /) -> MultiprocessBootstrapSupervisor:
    """The :class:`sk_kernel.SupervisorFactory` of the mode ``process_supervisor``."""
    return MultiprocessBootstrapSupervisor(
        Prepared(setup.config, setup.application, setup.plan),
        setup.run_id,
        setup.log,
        on_progress=setup.on_progress,
        on_line=setup.on_line,
    )
