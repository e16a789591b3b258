"""The work of a run over processes: when each group may begin, how the input ends, what is done."""

from __future__ import annotations

from typing import Final

from sk_control import ControlError, ControlMessage, DrainOutcome, StartWork, Stop
from sk_kernel.runtime import SINK, SOURCE

from sk_supervisor._lives.gate import GatePolicy, downstream_of, gate_policy, may_start
from sk_supervisor._lives.lifecycle import Event, State
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.roster import Roster
from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._session.session import Session
from sk_supervisor.errors import AtHand, RuntimeLifecycleResolutionError

_DRAIN: Final = Stop(drain=True, reason="drain")


class Workload:
    """Speaks to the workers for the supervisor. The loop's thread only.

    ``session`` is what they are connected to, from the first start to :meth:`hang_up`; ``is_open``
    says whether the gate is open, ``in_doubt``, at the end, whether the sink may have committed and
    nobody can tell; ``order`` has the groups, source first, sink last: in the order
    in which a batch passes them.
    """

    def __init__(self, prepared: Prepared, roster: Roster) -> None:
        self.policy = gate_policy(prepared.config.runtime.platform.readiness)
        edges = prepared.plan.group_edges()
        self._downstream = {g.name: downstream_of(edges, g.name) for g in prepared.groups}
        self._group_of = prepared.plan.group_of
        self._roster = roster
        self.order = list(dict.fromkeys(s.group for s in prepared.plan.segments))
        self._begun: set[str] = set()
        self.session: Session | None = None
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
        """See that the gate may be opened.

        :raises RuntimeLifecycleResolutionError: when a group was not started; or is not ready, and
            the policy wants all of them to be.
        """
        if not self.all_started():
            raise RuntimeLifecycleResolutionError("run", "not every group has been started")
        unready = not (self.all_ready() or self.recovering())
        if self.policy is GatePolicy.ALL_READY and unready:
            raise RuntimeLifecycleResolutionError("run", "not every group is ready")

    def all_started(self) -> bool:
        """Whether every group has its workers."""
        return {r.group.name for r in self._roster} == self._downstream.keys()

    def all_ready(self) -> bool:
        """Whether every group is ready, or further."""
        return self._roster.ready_groups() >= self._downstream.keys()

    def all_begun(self) -> bool:
        """Whether every group was told to start; what is restarted later changes nothing."""
        return self._begun >= self._downstream.keys()

    def recovering(self) -> bool:
        """Whether a group waits for a worker that is to take a failed one's place."""
        return any(
            r.state is State.FAILED or (r.state is State.STARTING and r.incarnation > 1)
            for r in self._roster
        )

    def tell(self, record: WorkerRecord, message: ControlMessage) -> bool:
        """Send a worker a message; False where there is no session to send it on."""
        if self.session is None:
            return False
        try:
            self.session.control.send(record.worker_id, message)
        except ControlError:
            return False  # no session yet or any more: the watch will hear why
        return True

    def open(self) -> None:
        """Open the gate: now for those that may start, for others as they become ready."""
        self.is_open = True
        self.pass_gate()

    def pass_gate(self) -> None:
        """Have every worker start that may, and was not told to: they are marked, then told.

        The source's are told last: whatever is seen of the work, each worker in it runs. The gate
        does not close behind a group: whoever takes a worker's place in it starts at once; and
        drains, where the others do.
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
            self.tell(record, StartWork())
            if self._drains:
                self.tell(record, _DRAIN)

    def drain(self) -> None:
        """End the input: what was read is worked off. Nobody waits for requests any more."""
        self._drains = True
        for record in self._roster:
            if record is self.source or record.state is State.RUNNING:
                self.tell(record, _DRAIN)

    def is_done(self, *, broken: bool) -> bool:
        """Whether every worker has drained.

        With a worker ``broken`` the sink's word is enough: it ends last, so all work is done then,
        and what fails from there on changes nothing. Where its own worker broke, that is not waited
        for: its sink has ended, and there is no summary of it.
        """
        if broken:
            sink = self.sink
            spoke = sink is not None and sink.state is State.FAILED and sink.outcome is not None
            return spoke or (sink is not None and sink.drained is not None)
        return all(r.drained is not None or self._needs_no_word_of(r) for r in self._roster)

    @property
    def committed(self) -> bool:
        """Whether the sink has committed: that the run is complete is known."""
        return self.sink is not None and self.sink.outcome is DrainOutcome.COMPLETE

    def may_have_ended(self, record: WorkerRecord) -> bool:
        """Whether a worker may have ended the sink, without a word of it so far."""
        if record is not self.sink or record.outcome is not None or record.stopped:
            return False
        return record is self.source or (
            self.session is not None and self.session.relay.has_got_all(record.worker_id)
        )

    def complete(self) -> bool:
        """Whether all work is done, to the end of input, whatever becomes of any worker."""
        return self.session is not None and self.session.relay.complete

    def _needs_no_word_of(self, record: WorkerRecord) -> bool:
        # What is done is not sent again: who came to it later may wait for an end that has passed.
        return (record.incarnation > 1 or record.state is State.FAILED) and self.complete()

    def _introduce(self) -> None:
        """Put workers that are ready into their places; let those who send to them know last."""
        if self.session is None:
            return
        ready = [r for r in self._roster if r.state in (State.READY, State.RUNNING)]
        for record in ready:
            self.session.take_over(record.worker_id)
        for record in reversed(self._roster.in_order(self.order)):
            if record in ready:
                for news in self.session.news_for(record.worker_id):
                    self.tell(record, news)

    def has_sent_all(self, record: WorkerRecord) -> bool:
        """Whether nothing more was to come from this worker: the work can be done without it."""
        return self.session is not None and self.session.relay.has_sent_all(record.worker_id)

    def at_hand(self, worker: str) -> AtHand | None:
        """The batches that a worker has been sent and not passed on, as far as is known."""
        return self.session.relay.at_hand(worker) if self.session is not None else None

    def lose(self, worker: str) -> None:
        """A worker is gone: let the requests fail that are, or may be, with it."""
        if self.session is not None:
            self.session.gateway.lost(worker)

    def forget(self, worker: str) -> None:
        """A worker is gone, as is whoever came right behind it: let go of what is known of it."""
        if self.session is not None:
            self.session.forget(worker)

    def hang_up(self) -> None:
        """Close the session, if one is open: whoever is still connected is cut off."""
        if self.session is not None:
            self.in_doubt = self.sink is not None and self.may_have_ended(self.sink)
            self.session.close()
            self.session = None

    def late(self) -> list[str]:
        """The workers that have not drained."""
        return [r.worker_id for r in self._roster if r.drained is None]

    def _worker_of(self, vertex: str) -> WorkerRecord | None:
        group = self._group_of[vertex]
        return next((r for r in self._roster if r.group.name == group), None)
