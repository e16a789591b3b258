"""The handling of each event: the changes to the worker records, and the effects on the run."""

from __future__ import annotations

from collections.abc import Callable

from sk_control import (
    BundleAck,
    Drained,
    Failed,
    Heartbeat,
    LossReason,
    Ready,
    StopAck,
    WorkerHello,
    WorkerLost,
    WorkerMessage,
)
from sk_control import Progress as ProgressMessage
from sk_kernel import EventRail

from sk_supervisor._lives.clock import LoopClock
from sk_supervisor._lives.end_causes import EndCauses
from sk_supervisor._lives.evidence import Breakage
from sk_supervisor._lives.failing import Failing
from sk_supervisor._lives.judge import Judge
from sk_supervisor._lives.judgement import Counts
from sk_supervisor._lives.lifecycle import Act, Event, State, step
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.roster import Roster
from sk_supervisor._loop.loop_events import (
    AllAcknowledged,
    HandoffFailed,
    HubFault,
    HubLeft,
    LoopEvent,
    Ping,
    ProcessExited,
    RefusalsCame,
    RequestsSettled,
    SinkEnded,
    StopRequested,
)
from sk_supervisor._protocol import failures as category
from sk_supervisor._requests.flights import OnFailure

#: How long to wait for the exit status of a worker whose control session is lost.
_EVIDENCE_SECONDS = 1.0


class Dispatcher:
    """Handles each event once. Called by the loop's thread only; it never waits.

    :param on_ready: called after a worker has reported that it is ready.
    :param on_stop: called after each stop request that changes anything (the first one, and the
        first forced one), with whether it is forced.
    :param on_settled: called when no request is in flight and no more are accepted.
    :param on_handoff_failure: called for each failed request.
    """

    def __init__(
        self,
        roster: Roster,
        *,
        log: EventRail,
        clock: LoopClock,
        causes: EndCauses,
        failing: Failing,
        judge: Judge,
        on_ready: Callable[[], None],
        on_stop: Callable[[bool], None],
        on_settled: Callable[[], None] = lambda: None,
        on_handoff_failure: OnFailure = lambda *_: None,
    ) -> None:
        self._roster, self._log, self._clock = roster, log, clock
        self._causes, self._fail, self._judge = causes, failing.fail, judge
        self._on_ready, self._on_stop = on_ready, on_stop
        self._on_settled, self._on_handoff_failure = on_settled, on_handoff_failure

    def dispatch(self, event: LoopEvent) -> None:
        """Handle an event; ignore it if it is from an unknown worker."""
        match event:
            case WorkerMessage(worker_id=worker_id, message=message):
                if record := self._roster.get(worker_id):
                    self._hear(record, message)
            case ProcessExited(worker_id=worker_id):
                if record := self._roster.get(worker_id):
                    self._exited(record)
            case WorkerLost(worker_id=worker_id):
                if record := self._roster.get(worker_id):
                    self._lost(record, event)
            case HubFault():
                self._hub_fault(event)
            case StopRequested(reason=reason, force=force):
                if self._causes.stops.take(reason, force=force):
                    facts = {"reason": reason, "force": force}
                    self._log.emit("stop_requested", fields=facts)
                    self._on_stop(force)
            case RefusalsCame():
                pass  # an alarm reports them, at its own rate
            case Ping(answer=answer):
                answer()
            case HandoffFailed(outcome=outcome, trace_id=trace_id):
                self._on_handoff_failure(outcome, trace_id)
            case RequestsSettled():
                self._on_settled()
            case SinkEnded(worker_id=worker_id, end=end):
                if record := self._roster.get(worker_id):
                    record.sink_end = end
            case HubLeft(worker_id=worker_id):
                if record := self._roster.get(worker_id):
                    record.left_hub = True
            case AllAcknowledged():
                pass  # it only wakes the loop, which waits for the end of the work
            case WorkerHello():
                pass  # the bundle is sent by the control plane; the acknowledgement counts

    def _hear(self, record: WorkerRecord, message: object) -> None:
        """Handle a message from a worker's control session."""
        match message:
            case BundleAck():
                self._advance(record, Event.BUNDLE_LOADED)
            case Ready(partial_outputs=paths):
                record.partial_outputs = paths
                self._advance(record, Event.SAID_READY)
            case Heartbeat(progress=ProgressMessage() as said) | (ProgressMessage() as said):
                record.dead_lettered, record.skipped_said = said.dead_lettered, said.skipped
                record.metering = said.metering or record.metering
                record.position = said.position
                self._progressed(record, _counts_of(said))
            case Drained() as drained:
                self._drained(record, drained)
            case StopAck(partial_outputs=paths):
                record.partial_outputs, record.stopped = paths, True
            case Failed() as failed:
                self._fail(record, Breakage.said(failed))

    def _drained(self, record: WorkerRecord, drained: Drained) -> None:
        record.drained = drained
        record.partial_outputs = drained.partial_outputs
        done = {"records_in": drained.records_in, "records_out": drained.records_out}
        self._progressed(record, record.standstill.counts._replace(**done, waiting=0))
        facts = {"outcome": drained.outcome.name.lower(), "records_in": drained.records_in}
        group, worker = record.group.name, record.worker_id
        self._log.emit("worker_drained", group=group, worker=worker, fields=facts)

    def _progressed(self, record: WorkerRecord, counts: Counts) -> None:
        record.counted(counts)
        self._judge.progressed(record, counts, self._clock.now())
        self._roster.changed(record)

    def _advance(self, record: WorkerRecord, event: Event) -> None:
        transition = self._roster.apply(record, event)
        if transition is not None and transition.act is Act.OPEN_GATE:
            self._on_ready()

    def _exited(self, record: WorkerRecord) -> None:
        """Handle the end of a worker's process: after a stop request, or as a crash."""
        transition = step(record.state, Event.EXITED)
        if transition is not None and transition.state is State.STOPPED:
            self._roster.released(record)
        else:
            self._fail(record, Breakage(category.CRASH), Event.EXITED)

    def _lost(self, record: WorkerRecord, lost: WorkerLost) -> None:
        """Handle a control session that has ended, or could not be established."""
        if lost.reason is LossReason.BUNDLE_FAILED:
            self._fail(record, Breakage(category.START, f"it got no bundle: {lost.fault}"))
        else:
            # A crash first appears as a lost session; the exit status follows at once.
            record.lost_by = self._clock.now() + _EVIDENCE_SECONDS

    def _hub_fault(self, fault: HubFault) -> None:
        """Handle a fault of the hub: it has disconnected a worker, or has failed itself."""
        worker = fault.worker_id or None
        facts = {"category": fault.category, "problem": fault.message}
        self._log.emit("hub_refused", worker=worker, fields=facts)
        record = self._roster.get(fault.worker_id)
        if record is not None:
            self._fail(record, Breakage(fault.category, fault.message))
        else:
            self._causes.blame_hub(fault.message)


def _counts_of(said: ProgressMessage) -> Counts:
    return Counts(
        records_in=said.records_in,
        records_out=said.records_out,
        batches=said.batches,
        waiting=said.waiting,
        requests=said.requests,
        source_records=said.source_records,
    )
