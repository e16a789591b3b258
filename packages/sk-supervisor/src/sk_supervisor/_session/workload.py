"""The work of a run over processes: the start of each group, the end of input, and completion."""

from __future__ import annotations

from typing import Final

from sk_control import DrainOutcome, StartWork, Stop
from sk_kernel.runtime import SINK, SOURCE

from sk_supervisor._lives.gate import GatePolicy, downstream_of, gate_policy, may_start
from sk_supervisor._lives.lifecycle import Event, State
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.roster import Roster
from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._session.session_handle import SessionHandle
from sk_supervisor.errors import RuntimeLifecycleResolutionError

_DRAIN: Final = Stop(drain=True, reason="drain")


class Workload:
    """Sends the messages that begin and end the work. The loop's thread only.

    ``is_open`` says whether the gate is open. ``in_doubt`` says, at the end, whether the sink may
    have committed although no report of it arrived. ``order`` has the names of the groups in the
    order in which a batch passes them, from source to sink.
    """

    def __init__(self, prepared: Prepared, roster: Roster, session: SessionHandle) -> None:
        self.policy = gate_policy(prepared.config.runtime.platform.readiness)
        edges = prepared.plan.group_edges()
        self._downstream = {g.name: downstream_of(edges, g.name) for g in prepared.groups}
        self._group_of = prepared.plan.group_of
        self._roster, self._session = roster, session
        self.order = list(dict.fromkeys(s.group for s in prepared.plan.segments))
        self._begun: set[str] = set()
        self.is_open = self.in_doubt = self._drains = False

    @property
    def source(self) -> WorkerRecord | None:
        """The source's worker, once spawned."""
        return self._worker_of(SOURCE)

    @property
    def sink(self) -> WorkerRecord | None:
        """The sink's worker, once spawned."""
        return self._worker_of(SINK)

    def check_startable(self) -> None:
        """Check that the gate may be opened.

        :raises RuntimeLifecycleResolutionError: when a group was not started, or is not ready
            although the policy requires all groups to be ready.
        """
        if not self.all_started():
            raise RuntimeLifecycleResolutionError("run", "not every group has been started")
        unready = not (self.all_ready() or self.recovering())
        if self.policy is GatePolicy.ALL_READY and unready:
            raise RuntimeLifecycleResolutionError("run", "not every group is ready")

    def all_started(self) -> bool:
        """Whether every group has been started."""
        return {r.group.name for r in self._roster} == self._downstream.keys()

    def all_ready(self) -> bool:
        """Whether every group is ready, or in a later state."""
        return self._roster.ready_groups() >= self._downstream.keys()

    def all_begun(self) -> bool:
        """Whether every group was told to start work; later restarts change nothing."""
        return self._begun >= self._downstream.keys()

    def recovering(self) -> bool:
        """Whether a group waits for the successor of a failed worker."""
        return any(
            r.state is State.FAILED or (r.state is State.STARTING and r.incarnation > 1)
            for r in self._roster
        )

    def open(self) -> None:
        """Open the gate: groups that may start do so now, the others as they become ready."""
        self.is_open = True
        self.pass_gate()

    def pass_gate(self) -> None:
        """Tell every ready worker to start work, if its group may and the gate is open.

        All of them are set to running first, and told in reverse order, the source's group last: so
        every worker that a batch reaches is running. The gate stays open for a group: a successor
        in it starts at once, and drains if the run does.
        """
        self._introduce()
        if not self.is_open:
            return
        self._begun |= set(may_start(self.policy, self._roster.ready_groups(), self._downstream))
        flow = self._roster.in_order(self.order)
        waiting = [r for r in flow if r.group.name in self._begun and r.state is State.READY]
        for record in waiting:
            self._roster.apply(record, Event.GATE_OPENED)
        for record in reversed(waiting):
            self._session.tell(record, StartWork())
            if self._drains:
                self._session.tell(record, _DRAIN)

    def drain(self) -> None:
        """End the input; batches that were read are finished. Requests in flight expire."""
        self._drains = True
        for record in self._roster:
            if record is self.source or record.state is State.RUNNING:
                self._session.tell(record, _DRAIN)

    def is_done(self, *, broken: bool) -> bool:
        """Whether every worker has drained.

        If a worker is ``broken``, the report of the sink's worker is enough: the sink ends last, so
        all work is done then, and later failures change nothing. If that worker itself has failed
        after its sink ended, its report is not waited for, and there is no summary.
        """
        if broken:
            sink = self.sink
            spoke = sink is not None and sink.state is State.FAILED and sink.outcome is not None
            return spoke or (sink is not None and sink.drained is not None)
        return all(r.drained is not None or self._report_is_not_needed(r) for r in self._roster)

    @property
    def committed(self) -> bool:
        """Whether it is known that the sink has committed, so that the run is complete."""
        return self.sink is not None and self.sink.outcome is DrainOutcome.COMPLETE

    def sink_may_have_ended(self, record: WorkerRecord) -> bool:
        """Whether this worker's sink may already have ended although no report has arrived."""
        if record is not self.sink or record.outcome is not None or record.stopped:
            return False
        return record is self.source or self._session.has_got_all(record)

    def _report_is_not_needed(self, record: WorkerRecord) -> bool:
        # Acknowledged batches are not sent again: a successor may wait for the end in vain.
        return (record.incarnation > 1 or record.state is State.FAILED) and self._session.complete()

    def _introduce(self) -> None:
        """Put ready workers into their places, and tell their peers, the senders last."""
        session = self._session.current
        if session is None:
            return
        ready = [r for r in self._roster if r.state in (State.READY, State.RUNNING)]
        for record in ready:
            session.take_over(record.worker_id)
        for record in reversed(self._roster.in_order(self.order)):
            if record in ready:
                for news in session.news_for(record.worker_id):
                    self._session.tell(record, news)

    def close_session(self) -> None:
        """Close the session, if one is open, and disconnect all workers."""
        if self._session.current is not None:
            self.in_doubt = self.sink is not None and self.sink_may_have_ended(self.sink)
            self._session.close()

    def late(self) -> list[str]:
        """The ids of the workers that have not drained."""
        return [r.worker_id for r in self._roster if r.drained is None]

    def _worker_of(self, vertex: str) -> WorkerRecord | None:
        group = self._group_of[vertex]
        return next((r for r in self._roster if r.group.name == group), None)
