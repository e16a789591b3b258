"""The supervisor of real worker processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sk_control import ControlError, DrainOutcome, StartWork, Stop
from sk_kernel import SINK, SOURCE, LifecycleEvent, Progress, RunReport
from sk_observability import EventName, LifecycleLog
from sk_transport import TransportError

from sk_supervisor._gate import GatePolicy, downstream_of, gate_policy, may_start
from sk_supervisor._happenings import ProcessExited, StopRequested
from sk_supervisor._ladder import Ladder, Rung
from sk_supervisor._lifecycle import Event, State
from sk_supervisor._preflight import Prepared
from sk_supervisor._process import WorkerProcess
from sk_supervisor._roster import Roster, WorkerRecord
from sk_supervisor._session import Session
from sk_supervisor._stopping import Stopping
from sk_supervisor._watch import Watch
from sk_supervisor.errors import (
    RuntimeLifecycleReadyError,
    RuntimeLifecycleResolutionError,
    StartInterruptedError,
    StopTimeoutError,
)

if TYPE_CHECKING:
    from sk_config import GroupConfig

PROFILE = "process_supervisor"

#: After a failure there is nothing left to drain, and whoever is left gets this long to leave.
FAILURE_BUDGET_SECONDS = 5.0


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
        readiness = prepared.config.runtime.platform.readiness
        self._policy = gate_policy(
            enabled=readiness.enabled, all_groups=readiness.start_work_on_all_groups_ready
        )
        edges = prepared.plan.group_edges()
        self._downstream = {g.name: downstream_of(edges, g.name) for g in prepared.groups}
        self._session: Session | None = None
        self._ladder: Ladder | None = None
        self._gate_open = False
        self._roster = Roster(log, lambda record: on_progress(_seen(record)))
        self._watch = Watch(
            self._roster, log, on_ready=self._open_gate, on_stop=self._asked_to_stop
        )
        # Source first, sink last: in the order in which a batch passes them.
        order = list(dict.fromkeys(s.group for s in prepared.plan.segments))
        self._stopping = Stopping(self._roster, self._watch, log, self._tell, order)

    def start_groups(self, group_names: Sequence[str]) -> None:
        """See the protocol.

        :raises RuntimeLifecycleResolutionError: for an unknown group, or a group started before.
        :raises RuntimeLifecycleReadyError: when a port or a process cannot be had.
        """
        configured = {g.name: g for g in self._prepared.groups}
        started = {r.group.name for r in self._roster}
        for name in group_names:
            if name not in configured:
                raise RuntimeLifecycleResolutionError(name, "is not a configured process group")
            if name in started:
                raise RuntimeLifecycleResolutionError(name, "has been started already")
        self._log.emit(EventName.SUPERVISOR_START_GROUPS, fields={"groups": " ".join(group_names)})
        try:
            if self._session is None:
                self._session = Session(self._prepared, self._run_id, self._watch.put)
            for name in group_names:
                self._spawn(configured[name], self._session)
        except (TransportError, ControlError, OSError) as error:
            raise RuntimeLifecycleReadyError("spawn", group_names, 0.0, str(error)) from error

    def wait_ready(self, timeout_seconds: float) -> bool:
        """See the protocol.

        :raises RuntimeLifecycleReadyError: when a worker failed, or took longer than its group's
            ``start_timeout_seconds``.
        :raises StartInterruptedError: when a stop was requested meanwhile.
        """
        if timeout_seconds <= 0:
            return False
        self._log.emit(EventName.SUPERVISOR_WAIT_READY, fields={"timeout_seconds": timeout_seconds})
        began = time.monotonic()
        while not self._all_ready():
            self._raise_if_not_starting(began)
            if time.monotonic() >= began + timeout_seconds:
                return False
            self._watch.step(began + timeout_seconds)
        return True

    def run(self) -> RunReport:
        """See the protocol.

        :raises RuntimeWorkerFailedError: when a worker failed.
        :raises StopTimeoutError: when a requested stop did not drain within its budget.
        :raises RuntimeLifecycleResolutionError: when the groups were not started, or not ready.
        """
        session = self._session
        if session is None or {r.group.name for r in self._roster} != self._downstream.keys():
            raise RuntimeLifecycleResolutionError("run", "not every group has been started")
        if self._policy is GatePolicy.ALL_READY and not self._all_ready():
            raise RuntimeLifecycleResolutionError("run", "not every group is ready")
        began = time.monotonic()
        self._log.emit(EventName.SUPERVISOR_START_WORKLOAD, fields={"policy": str(self._policy)})
        self._gate_open = True
        self._open_gate()
        while not self._all_drained():
            if not self._all_ready():
                self._raise_if_not_starting(began)
            if self._watch.failed is not None:
                raise self._watch.evidence()
            drain_until = self._ladder.drain_until if self._ladder else None
            if drain_until is not None and time.monotonic() >= drain_until:
                late = [r.worker_id for r in self._roster if r.drained is None]
                raise StopTimeoutError(late, self._budget())
            self._watch.step(drain_until)
        return self._report(session, time.monotonic() - began)

    def request_stop(self, reason: str) -> None:
        """End the run: the first request drains it, a second one ends it by force.

        Safe in any thread and in a signal handler.
        """
        self._watch.put(StopRequested(reason))

    def partial_outputs(self) -> tuple[str, ...]:
        """Where the sink's worker said that unfinished output is."""
        return tuple(path for r in self._roster for path in r.partial_outputs)

    def stop_groups(self, graceful_timeout_seconds: float, *, drain_inflight: bool) -> None:
        """See the protocol; workers that are left at the end of the time are left alone.

        :raises StopTimeoutError: a ``TimeoutError``, when they are not all gone in time.
        """
        end = time.monotonic() + graceful_timeout_seconds
        if drain_inflight and self._gate_open:
            self._drain()
            while not self._all_drained() and not self._watch.failed and time.monotonic() < end:
                self._watch.step(end)
        self._stopping.ask(graceful_timeout_seconds)
        self._stopping.await_exits(end)
        left = [r.worker_id for r in self._stopping.alive()]
        if left:
            raise StopTimeoutError(left, graceful_timeout_seconds)
        self._stopping.settle()

    def force_terminate_groups(self, group_names: Sequence[str]) -> None:
        """See the protocol: SIGTERM, and SIGKILL a second later."""
        for rung in (Rung.TERMINATE, Rung.KILL):
            if self._stopping.alive(group_names):
                self._stopping.signal(rung, group_names)
                end = time.monotonic() + 1.0
                self._stopping.await_exits(end, group_names, whatever_comes=True)
        self._stopping.settle()

    def shutdown(self) -> str:
        """See the protocol. Legal in every state, and more than once."""
        budget = self._budget()
        ladder = self._ladder or Ladder.within(budget, time.monotonic(), drain=False)
        rung = self._stopping.down(ladder, budget)
        self._stopping.settle()
        if self._session is not None:
            self._session.close()
            self._session = None
        return rung.name.lower()

    def snapshot(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """See the protocol."""
        return self._roster.snapshot()

    def lifecycle_events(self) -> Sequence[LifecycleEvent]:
        """See the protocol."""
        return self._log.events()

    def subscribe(self, after_sequence: int) -> Sequence[LifecycleEvent]:
        """See the protocol."""
        return self._log.after(after_sequence)

    def _spawn(self, group: GroupConfig, session: Session) -> None:
        now = time.monotonic()
        process = WorkerProcess(
            session.invite(group), lambda w: self._watch.put(ProcessExited(w)), self._on_line
        )
        start_by = now + group.start_timeout_seconds
        self._roster.add(WorkerRecord(process.worker_id, group, process, start_by, now))

    def _all_ready(self) -> bool:
        return self._roster.ready_groups() >= self._downstream.keys()

    def _all_drained(self) -> bool:
        return all(r.drained is not None for r in self._roster)

    def _raise_if_not_starting(self, began: float) -> None:
        now = time.monotonic()
        if self._watch.failed is not None:
            error = self._watch.evidence()
            raise RuntimeLifecycleReadyError(
                error.category, [error.worker], now - began, str(error)
            )
        late = [r for r in self._roster if r.state is State.STARTING and now >= r.start_by]
        if late:
            raise RuntimeLifecycleReadyError("timeout", [r.worker_id for r in late], now - began)
        if self._watch.stop_reasons:
            raise StartInterruptedError(self._watch.stop_reasons[0])

    def _open_gate(self) -> None:
        if not self._gate_open or self._session is None:
            return
        for group in may_start(self._policy, self._roster.ready_groups(), self._downstream):
            for record in self._roster:
                if record.group.name == group and record.state is State.READY:
                    self._session.control.send(record.worker_id, StartWork())
                    self._roster.apply(record, Event.GATE_OPENED)

    def _asked_to_stop(self, times: int) -> None:
        now = time.monotonic()
        if times > 1:
            self._ladder = Ladder(now, now, now, now + 1.0)
        elif self._gate_open and self._ladder is None:
            self._ladder = Ladder.within(self._budget(), now)
            self._drain()

    def _drain(self) -> None:
        self._tell(self._record_of(SOURCE), Stop(drain=True, reason="drain"))

    def _tell(self, record: WorkerRecord, message: Stop) -> bool:
        try:
            if self._session is not None:
                self._session.control.send(record.worker_id, message)
                return True
        except ControlError:
            pass  # whoever has no session is told by signal
        return False

    def _budget(self) -> float:
        if self._watch.failed is not None:
            return FAILURE_BUDGET_SECONDS
        return float(max(g.stop_timeout_seconds for g in self._prepared.groups))

    def _record_of(self, vertex: str) -> WorkerRecord:
        group = self._prepared.plan.group_of[vertex]
        return next(r for r in self._roster if r.group.name == group)

    def _report(self, session: Session, seconds: float) -> RunReport:
        source, sink = self._record_of(SOURCE), self._record_of(SINK)
        assert source.drained and sink.drained  # noqa: S101, PT018 - run() waited for all
        complete = sink.drained.outcome is DrainOutcome.COMPLETE
        return RunReport(
            run_id=self._run_id,
            scenario=self._prepared.config.scenario.name,
            profile=PROFILE,
            outcome="completed" if complete else "stopped",
            records_in=source.drained.records_in,
            records_out=sink.drained.records_out,
            batches=max(session.relay.counters.acknowledged - 1, 0),
            seconds=seconds,
            counters=dict(sink.drained.counters),
            partial_outputs=() if complete else sink.partial_outputs,
        )


def _seen(record: WorkerRecord) -> Progress:
    p = record.progress
    return Progress(record.group.name, p.records_in, p.records_out, p.batches, str(record.state))
