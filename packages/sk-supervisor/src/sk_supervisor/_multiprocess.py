"""The supervisor of real worker processes: its parts, put together, and the calls that they get."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from sk_kernel import (
    Container,
    DeadLetterFile,
    EventRail,
    LifecycleEvent,
    Progress,
    RunReport,
    RunSetup,
    RunStatus,
)
from sk_observability import EventName

from sk_supervisor._asked import Asked
from sk_supervisor._early import Early
from sk_supervisor._ending import Ending
from sk_supervisor._gate import GatePolicy
from sk_supervisor._handoff import Handoff
from sk_supervisor._happenings import Ping, RequestsSettled, StopRequested
from sk_supervisor._lifecycle import State, overall
from sk_supervisor._memory_limit import MemoryLimits
from sk_supervisor._preflight import Prepared
from sk_supervisor._profile import Profiler
from sk_supervisor._redaction import redactor_of
from sk_supervisor._refusals import Refusals
from sk_supervisor._report import ends_of, progress_of, report_of, with_letters
from sk_supervisor._roster import Roster
from sk_supervisor._scope import Transport, resolve, scope_of
from sk_supervisor._session import Session
from sk_supervisor._starting import Starting
from sk_supervisor._stopping import Stopping
from sk_supervisor._successors import Successors
from sk_supervisor._verdict import Verdict
from sk_supervisor._watch import Watch
from sk_supervisor._workload import Workload
from sk_supervisor.errors import ProfileError, RuntimeLifecycleResolutionError

#: Batches go through queues of a hub and over signed channels, on loopback.
TCP_LOCAL: Final = Transport("tcp_local", Session)


class MultiprocessBootstrapSupervisor(Asked):
    """A :class:`sk_kernel.BootstrapSupervisor` over OS processes.

    All methods but :meth:`request_stop`, :meth:`snapshot` and the event queries are for one thread,
    which must live as long as the workers: Linux ends them when the thread that spawned them ends.

    :param on_progress: called from the loop whenever a worker has said something new of itself.
    :param on_line: called from a thread of a worker's own with its id, ``stdout`` or ``stderr``,
        and each line that it writes there; the sink's worker has its standard output for itself.
    :param scope: where its transport is bound; by default that of ``tcp_local``.
    :raises RuntimeLifecycleResolutionError: when none is bound there.
    """

    def __init__(
        self,
        prepared: Prepared,
        run_id: str,
        log: EventRail,
        *,
        on_progress: Callable[[Progress], None] = lambda _: None,
        on_line: Callable[[str, str, str], None] = lambda *_: None,
        scope: Container | None = None,
    ) -> None:
        self._transport: Transport[Session] = resolve(scope or scope_of(TCP_LOCAL), Transport)
        self._prepared, self._run_id, self._log = prepared, run_id, log
        self._began = time.monotonic()
        self._letters = DeadLetterFile(prepared.application.spec.failure)
        self._profile = ""
        self._unmeasured: Callable[[ProfileError], object] | None = None
        self._refusals = Refusals(log)
        clean = redactor_of(prepared.config)
        self._roster = roster = Roster(log, lambda one: on_progress(progress_of(one)), clean)
        self._work = work = Workload(prepared, roster)
        self.handoff = Handoff(
            prepared.plan,
            prepared.config.runtime.platform,
            lambda: self._watch.put(RequestsSettled()),
        )
        self._watch = watch = Watch(
            roster, log, on_ready=work.pass_gate, on_stop=lambda times: self._ending.asked(times)
        )
        self._starting = Starting(
            prepared.groups,
            log,
            roster,
            work,
            open_session=self._open_session,
            put=watch.put,
            on_line=on_line,
            clean=clean,
        )
        successors = Successors(
            prepared.groups,
            run_id,
            log,
            roster,
            spawn=self._starting.spawn,
            blame=watch.blame,
            complete=work.complete,
        )
        # Source first, sink last: in the order in which a batch passes them.
        order = list(dict.fromkeys(s.group for s in prepared.plan.segments))
        stopping = Stopping(roster, watch, log, work.tell, order)
        self._ending = Ending(prepared, watch, work, successors, stopping, self.handoff, log)
        self._verdict = Verdict(watch, work, self._ending)
        watch.follow = successors.follow
        memory = MemoryLimits(roster, watch.fail)
        ending = self._ending
        watch.alarms += [self._refusals, successors, memory, ending.drain, ending.expiry]
        watch.on_settled = self._ending.requests_settled
        watch.on_handoff_failure = self.emit_handoff_failure

    @property
    def works_in_caller(self) -> bool:
        """It does not: processes do."""
        return False

    def start_groups(self, group_names: Sequence[str]) -> None:
        """See the protocol.

        :raises RuntimeLifecycleResolutionError: for an unknown group, or a group started before.
        :raises RuntimeLifecycleReadyError: when a port or a process cannot be had.
        """
        self._starting.start(group_names)

    def wait_ready(self, timeout_seconds: float) -> bool:
        """See the protocol.

        :raises RuntimeLifecycleReadyError: when a worker failed, or took longer than its group's
            ``start_timeout_seconds``.
        :raises RuntimeLifecycleResolutionError: when no group has been started.
        :raises StartInterruptedError: when a stop was requested meanwhile.
        """
        if timeout_seconds <= 0:
            return False
        began = time.monotonic()
        started = self._starting.started()
        if not started:
            raise RuntimeLifecycleResolutionError("wait_ready", "no group has been started")
        self._log.emit(EventName.SUPERVISOR_WAIT_READY, fields={"timeout_seconds": timeout_seconds})
        end = began + timeout_seconds - self._watch.paused
        while True:
            self._verdict.raise_failure(began, starting=True)
            if self._roster.ready_groups() >= started:
                return True
            self._verdict.raise_interruption()
            if time.monotonic() >= end + self._watch.paused:
                return False
            self._watch.step(end + self._watch.paused)

    def run(self) -> RunReport:
        """See the protocol.

        :raises RuntimeWorkerFailedError: when a worker failed.
        :raises RuntimeLifecycleReadyError: when one failed that had not been ready yet.
        :raises StartInterruptedError: when a stop was requested before every group was ready.
        :raises StopTimeoutError: when a requested stop did not drain within its budget.
        :raises StopForcedError: when a second stop was requested before that.
        :raises RuntimeLifecycleResolutionError: when the groups were not started, or not ready.
        :raises DeadLetterError: when the dead letters of a run that is done cannot be merged.
        """
        began = time.monotonic()
        self._watch.catch_up()
        self._verdict.raise_failure(began, starting=True)
        self._verdict.raise_interruption()
        work = self._work
        if not work.all_started():
            raise RuntimeLifecycleResolutionError("run", "not every group has been started")
        unready = not (work.all_ready() or work.recovering())
        if work.policy is GatePolicy.ALL_READY and unready:
            raise RuntimeLifecycleResolutionError("run", "not every group is ready")
        self._log.emit(EventName.SUPERVISOR_START_WORKLOAD, fields={"policy": str(work.policy)})
        measured = Profiler(self._profile, "supervisor", "", on_failure=self._unmeasured)
        profiler = measured if self._profile else None
        work.open()
        assert work.session is not None  # noqa: S101 - every group was started in it
        self.handoff.open(work.session.desk)
        while not (work.is_done(broken=self._watch.broken) and self._answered()):
            self._watch.step(self._verdict.of_run(began))
        assert work.source and work.sink  # noqa: S101, PT018 - every group was started
        seconds = time.monotonic() - began
        lives = self._roster.lives()
        report = report_of(self._prepared, self._run_id, work.source, work.sink, seconds, lives)
        if profiler is not None:
            profiler.write(report.records_in)
        return with_letters(report, self._letters)

    def request_stop(self, reason: str) -> None:
        """End the run: the first request drains it, a second one ends it by force.

        Safe in any thread and in a signal handler.
        """
        self._watch.put(StopRequested(reason))

    def take_early(self, early: Early) -> None:
        """Let workers be processes that have begun already, where there are any."""
        self._starting.early, self._began = early, early.began_at

    def profile_into(self, folder: str, on_failure: Callable[[ProfileError], object]) -> None:
        """Have the workers that are started from now on write what they measure to a folder."""
        self._profile, self._unmeasured = folder, on_failure

    def ping(self, answer: Callable[[], None]) -> None:
        """Have ``answer`` called by the loop at its next turn. Safe in any thread."""
        self._watch.put(Ping(answer))

    def partial_outputs(self) -> tuple[str, ...]:
        """Where unfinished output and dead letters are; empty once they are in place."""
        said = tuple(path for r in self._roster for path in r.unfinished_outputs())
        return said + self._letters.partial_outputs()

    def stop_groups(self, graceful_timeout_seconds: float, *, drain_inflight: bool) -> None:
        """See the protocol; workers that are left at the end of the time are left alone.

        :raises StopTimeoutError: a ``TimeoutError``, when they are not all gone in time.
        """
        self._ending.stop(graceful_timeout_seconds, drain_inflight=drain_inflight)

    def force_terminate_groups(self, group_names: Sequence[str]) -> None:
        """See the protocol: SIGTERM, and SIGKILL a second later.

        :raises RuntimeLifecycleResolutionError: for an unknown group.
        """
        self._starting.configured(group_names)
        self._ending.force(group_names)

    def shutdown(self) -> str:
        """See the protocol. Legal in every state, and more than once."""
        if self._watch.failed is not None and self._work.session is not None:
            # The hub may not have come to it yet: what is lost is lost with that worker's group.
            self._work.session.desk.lost(self._watch.failed.worker_id)
        self.handoff.close()
        rung = self._ending.down()
        self._letters.abort()
        if self._work.session is not None:
            self._work.session.close()
            if self._refusals.due() is not None:
                self._refusals.ring(time.monotonic())
            self._work.session = None
        return rung.name.lower()

    def snapshot(self) -> RunStatus:
        """See the protocol."""
        groups = self._roster.snapshot()
        records_in, records_out = ends_of(self._prepared.plan, groups)
        return RunStatus(
            run_id=self._run_id,
            scenario=self._prepared.config.scenario.name,
            profile="process_supervisor",
            state=str(overall(State(group.state) for group in groups)),
            ready=self._work.is_open and self._work.all_ready() and not self._ending.begun,
            started=self._work.is_open and self._work.all_begun(),
            age_seconds=time.monotonic() - self._began,
            records_in=records_in,
            records_out=records_out,
            groups=groups,
            refusals=self._refusals.totals(),
            stop_reasons=tuple(self._watch.stop_reasons),
            requests=self.handoff.counters(),
            spans=self._watch.spans.accounts(),
        )

    def lifecycle_events(self) -> Sequence[LifecycleEvent]:
        """See the protocol."""
        return self._log.events()

    def subscribe(self, after_sequence: int) -> Sequence[LifecycleEvent]:
        """See the protocol."""
        return self._log.after(after_sequence)

    def _answered(self) -> bool:
        """Whether nobody waits for a reply any more; a failed run answers nobody."""
        return self._watch.broken or self.handoff.settled()

    def _open_session(self) -> Session:
        letters = self._letters.open()
        session = self._transport.open(
            self._prepared, self._run_id, self._watch.put, self._refusals, self.handoff, letters
        )
        session.profile = self._profile
        return session


def multiprocess_supervisor(setup: RunSetup, /) -> MultiprocessBootstrapSupervisor:
    """The :class:`sk_kernel.SupervisorFactory` of the mode ``process_supervisor``."""
    return MultiprocessBootstrapSupervisor(
        Prepared(setup.config, setup.application, setup.plan),
        setup.run_id,
        setup.log,
        on_progress=setup.on_progress,
        on_line=setup.on_line,
    )
