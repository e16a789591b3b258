"""The supervisor of real worker processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING

from sk_control import ControlError
from sk_kernel import LifecycleEvent, Progress, RunReport, RunStatus
from sk_observability import EventName, LifecycleLog
from sk_transport import TransportError

from sk_supervisor._gate import GatePolicy
from sk_supervisor._happenings import ProcessExited, StopRequested
from sk_supervisor._ladder import Ladder, Rung
from sk_supervisor._lifecycle import State, overall
from sk_supervisor._preflight import Prepared
from sk_supervisor._process import WorkerProcess
from sk_supervisor._refusals import Refusals
from sk_supervisor._report import report_of
from sk_supervisor._roster import Roster, WorkerRecord
from sk_supervisor._session import Session
from sk_supervisor._signals import without_signals
from sk_supervisor._stopping import Stopping
from sk_supervisor._watch import Watch
from sk_supervisor._workload import Workload
from sk_supervisor.errors import (
    RuntimeLifecycleReadyError,
    RuntimeLifecycleResolutionError,
    RuntimeWorkerFailedError,
    StartInterruptedError,
    StopForcedError,
    StopTimeoutError,
)

if TYPE_CHECKING:
    from sk_config import GroupConfig

#: After a failure there is nothing left to drain, and whoever is left gets this long to leave.
FAILURE_BUDGET_SECONDS = 5.0
#: A second request to stop, or a forced termination, takes this long at each rung.
_FORCE_SECONDS = 1.0


class MultiprocessBootstrapSupervisor:
    """A :class:`sk_kernel.BootstrapSupervisor` over OS processes.

    All methods but :meth:`request_stop`, :meth:`snapshot` and the event queries are for one thread,
    which must live as long as the workers: Linux ends them when the thread that spawned them ends.

    :param on_progress: called from the loop whenever a worker has said something new of itself.
    :param on_line: called from a worker's own thread with each line of its standard error.
    """

    def __init__(
        self,
        prepared: Prepared,
        run_id: str,
        log: LifecycleLog,
        *,
        on_progress: Callable[[Progress], None] = lambda _: None,
        on_line: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._prepared, self._run_id, self._log = prepared, run_id, log
        self._on_line = on_line
        self._began = time.monotonic()
        self._ladder: Ladder | None = None
        self._roster = Roster(log, lambda record: on_progress(_seen(record)))
        self._work = work = Workload(prepared, self._roster)
        self._watch = Watch(self._roster, log, on_ready=work.pass_gate, on_stop=self._asked_to_stop)
        self._refusals = Refusals(log)
        self._watch.alarms.append(self._refusals)
        # Source first, sink last: in the order in which a batch passes them.
        order = list(dict.fromkeys(s.group for s in prepared.plan.segments))
        self._stopping = Stopping(self._roster, self._watch, log, work.tell, order)

    def start_groups(self, group_names: Sequence[str]) -> None:
        """See the protocol.

        :raises RuntimeLifecycleResolutionError: for an unknown group, or a group started before.
        :raises RuntimeLifecycleReadyError: when a port or a process cannot be had.
        """
        configured = self._configured(group_names)
        started = {r.group.name for r in self._roster}
        for name in group_names:
            if name in started:
                raise RuntimeLifecycleResolutionError(name, "has been started already")
        self._log.emit(EventName.SUPERVISOR_START_GROUPS, fields={"groups": " ".join(group_names)})
        try:
            with without_signals():
                session = self._work.session or self._listen()
            for group in configured:
                self._spawn(group, session)
        except (TransportError, ControlError, OSError) as error:
            raise RuntimeLifecycleReadyError("spawn", group_names, 0.0, str(error)) from error

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
        started = {r.group.name for r in self._roster}
        if not started:
            raise RuntimeLifecycleResolutionError("wait_ready", "no group has been started")
        self._log.emit(EventName.SUPERVISOR_WAIT_READY, fields={"timeout_seconds": timeout_seconds})
        while True:
            self._raise_failure(began, starting=True)
            if self._roster.ready_groups() >= started:
                return True
            self._raise_interruption()
            if time.monotonic() >= began + timeout_seconds:
                return False
            self._watch.step(began + timeout_seconds)

    def run(self) -> RunReport:
        """See the protocol.

        :raises RuntimeWorkerFailedError: when a worker failed.
        :raises RuntimeLifecycleReadyError: when one failed that had not been ready yet.
        :raises StartInterruptedError: when a stop was requested before every group was ready.
        :raises StopTimeoutError: when a requested stop did not drain within its budget.
        :raises StopForcedError: when a second stop was requested before that.
        :raises RuntimeLifecycleResolutionError: when the groups were not started, or not ready.
        """
        began = time.monotonic()
        self._watch.catch_up()
        self._raise_failure(began, starting=True)
        self._raise_interruption()
        work = self._work
        if not work.all_started():
            raise RuntimeLifecycleResolutionError("run", "not every group has been started")
        if work.policy is GatePolicy.ALL_READY and not work.all_ready():
            raise RuntimeLifecycleResolutionError("run", "not every group is ready")
        self._log.emit(EventName.SUPERVISOR_START_WORKLOAD, fields={"policy": str(work.policy)})
        work.open()
        while not work.is_done(broken=self._watch.broken):
            patience = self._patience()
            if patience <= time.monotonic():
                self._raise_failure(began, starting=False)
            if not work.all_ready():
                self._raise_interruption()
            self._raise_if_out_of_time()
            until = min(patience, self._ladder.drain_until if self._ladder else inf)
            self._watch.step(until if until < inf else None)
        assert work.source and work.sink  # noqa: S101, PT018 - every group was started
        seconds = time.monotonic() - began
        return report_of(self._prepared, self._run_id, work.source, work.sink, seconds)

    def request_stop(self, reason: str) -> None:
        """End the run: the first request drains it, a second one ends it by force.

        Safe in any thread and in a signal handler.
        """
        self._watch.put(StopRequested(reason))

    def partial_outputs(self) -> tuple[str, ...]:
        """Where the sink's worker said that unfinished output is; empty once it is in place."""
        return tuple(path for r in self._roster for path in r.unfinished_outputs())

    def stop_groups(self, graceful_timeout_seconds: float, *, drain_inflight: bool) -> None:
        """See the protocol; workers that are left at the end of the time are left alone.

        :raises StopTimeoutError: a ``TimeoutError``, when they are not all gone in time.
        """
        end = time.monotonic() + graceful_timeout_seconds
        if drain_inflight and self._work.is_open:
            self._work.drain()
            while not (
                self._work.is_done(broken=False)
                or self._watch.broken
                or self._watch.forced
                or time.monotonic() >= end
            ):
                self._watch.step(end)
        self._stopping.ask(graceful_timeout_seconds)
        self._stopping.await_exits(end)
        left = [r.worker_id for r in self._stopping.alive()]
        if left:
            raise StopTimeoutError(left, graceful_timeout_seconds)
        self._stopping.settle()

    def force_terminate_groups(self, group_names: Sequence[str]) -> None:
        """See the protocol: SIGTERM, and SIGKILL a second later.

        :raises RuntimeLifecycleResolutionError: for an unknown group.
        """
        self._configured(group_names)
        for rung in (Rung.TERMINATE, Rung.KILL):
            if self._stopping.alive(group_names):
                self._stopping.signal(rung, group_names)
                end = time.monotonic() + _FORCE_SECONDS
                self._stopping.await_exits(end, group_names, whatever_comes=True)
        self._stopping.settle()

    def shutdown(self) -> str:
        """See the protocol. Legal in every state, and more than once."""
        now, budget = time.monotonic(), self._budget()
        ladder = Ladder.within(budget, now, drain=False)
        rung = self._stopping.down(
            self._ladder.no_later_than(ladder) if self._ladder else ladder, budget
        )
        self._stopping.settle()
        if self._work.session is not None:
            self._work.session.close()
            if self._refusals.due() is not None:
                self._refusals.ring(time.monotonic())
            self._work.session = None
        return rung.name.lower()

    def snapshot(self) -> RunStatus:
        """See the protocol."""
        groups = self._roster.snapshot()
        ended = self._watch.stop_reasons or self._watch.broken
        return RunStatus(
            run_id=self._run_id,
            scenario=self._prepared.config.scenario.name,
            profile="process_supervisor",
            state=str(overall(State(group.state) for group in groups)),
            ready=self._work.is_open and self._work.all_ready() and not ended,
            age_seconds=time.monotonic() - self._began,
            groups=groups,
            refusals=self._refusals.totals(),
        )

    def lifecycle_events(self) -> Sequence[LifecycleEvent]:
        """See the protocol."""
        return self._log.events()

    def subscribe(self, after_sequence: int) -> Sequence[LifecycleEvent]:
        """See the protocol."""
        return self._log.after(after_sequence)

    # ---- starting --------------------------------------------------------------------------------

    def _configured(self, names: Sequence[str]) -> list[GroupConfig]:
        configured = {g.name: g for g in self._prepared.groups}
        for name in names:
            if name not in configured:
                raise RuntimeLifecycleResolutionError(name, "is not a configured process group")
        return [configured[name] for name in names]

    def _listen(self) -> Session:
        session = Session(self._prepared, self._run_id, self._watch.put, self._refusals)
        self._work.session = session
        self._log.emit("supervisor_listening", level="debug", fields=session.addresses())
        return session

    def _spawn(self, group: GroupConfig, session: Session) -> None:
        now = time.monotonic()
        process = WorkerProcess(
            session.invite(group), lambda w: self._watch.put(ProcessExited(w)), self._on_line
        )
        start_by = now + group.start_timeout_seconds
        self._roster.add(WorkerRecord(process.worker_id, group, process, start_by, now))

    # ---- what ends a start or a run --------------------------------------------------------------

    def _raise_failure(self, began: float, *, starting: bool) -> None:
        error = self._watch.evidence()
        if error is None:
            return
        record = self._watch.failed
        early = record is not None and record.failed_in is State.STARTING
        if isinstance(error, RuntimeWorkerFailedError) and (starting or early):
            waited = time.monotonic() - began
            raise RuntimeLifecycleReadyError(
                error.category, [error.worker], waited, str(error)
            ) from error
        raise error

    def _patience(self) -> float:
        """Until when the others may go on working: behind a failure, only to finish without it."""
        failed = self._watch.failed
        if failed is not None and self._work.has_sent_all(failed):
            # The output may be complete, and in place, all the same.
            return self._watch.failed_at + FAILURE_BUDGET_SECONDS
        return 0.0 if self._watch.broken else inf

    def _raise_interruption(self) -> None:
        if self._watch.stop_reasons:
            raise StartInterruptedError(self._watch.stop_reasons[0])

    def _raise_if_out_of_time(self) -> None:
        if self._watch.forced:
            raise StopForcedError(self._work.late())
        if self._ladder and time.monotonic() >= self._ladder.drain_until:
            raise StopTimeoutError(self._work.late(), self._budget())

    # ---- stopping --------------------------------------------------------------------------------

    def _asked_to_stop(self, times: int) -> None:
        now = time.monotonic()
        if times > 1:
            self._ladder = Ladder(now, now, now, now + _FORCE_SECONDS)
        elif self._work.is_open:
            self._ladder = Ladder.within(self._budget(), now)
            self._work.drain()

    def _budget(self) -> float:
        if self._watch.broken:
            return FAILURE_BUDGET_SECONDS
        return float(max(g.stop_timeout_seconds for g in self._prepared.groups))


def _seen(record: WorkerRecord) -> Progress:
    p = record.progress
    return Progress(record.group.name, p.records_in, p.records_out, p.batches, str(record.state))
