"""The supervisor's one loop: waits for what happens next, and judges what it means for a worker."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable
from typing import Protocol

from sk_control import (
    BundleAck,
    Drained,
    Failed,
    Heartbeat,
    LossReason,
    Ready,
    SpanCounts,
    WorkerHello,
    WorkerLost,
    WorkerMessage,
)
from sk_control import Progress as ProgressMessage
from sk_kernel import EventRail

from sk_supervisor import _failures as category
from sk_supervisor._evidence import Breakage
from sk_supervisor._happenings import (
    AllAcknowledged,
    HandoffFailed,
    Happening,
    HubFault,
    Ping,
    ProcessExited,
    RefusalsCame,
    RequestsSettled,
    StopRequested,
)
from sk_supervisor._judge import Judge
from sk_supervisor._judgement import Counts
from sk_supervisor._lifecycle import Act, Event, State, Transition, step
from sk_supervisor._pause import paused_seconds, wait_until
from sk_supervisor._roster import Roster, WorkerRecord, failure_error
from sk_supervisor._span_books import SpanBooks
from sk_supervisor._vitals import Look, Vitals, look_at
from sk_supervisor.errors import HubFailedError, RuntimeWorkerFailedError

#: How long the evidence of a failure (its exit status) is waited for.
_EVIDENCE_SECONDS = 1.0


class Alarm(Protocol):
    """Something that the loop does at a time of its own."""

    def due(self) -> float | None:
        """When, on the loop's clock; None for not at all, as things are."""

    def ring(self, now: float) -> None:
        """It is due."""


class Watch:
    """Takes happenings from any thread, and each of them in once, in the loop's thread.

    :param on_ready: called after a worker said that it is ready.
    :param on_stop: called after each request to stop, with their number so far.
    :param clock: seconds; that of every deadline.
    :param look: looks at a process of the system: its id, and the time.
    """

    def __init__(
        self,
        roster: Roster,
        log: EventRail,
        *,
        on_ready: Callable[[], None],
        on_stop: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
        look: Callable[[int, float], Look] = look_at,
    ) -> None:
        self._roster, self._log, self._clock = roster, log, clock
        self._on_ready, self._on_stop = on_ready, on_stop
        self._judge = Judge(roster, log, self._break, look)
        self._queue: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self._heard: dict[str, float] = {}
        self.spans = SpanBooks()
        self.failed: WorkerRecord | None = None
        self.failed_at = 0.0
        self.hub_failure: HubFailedError | None = None
        self.paused = 0.0  # seconds in which this process was stopped, all together
        self.stop_reasons: list[str] = []
        self.alarms: list[Alarm] = []
        self.on_settled: Callable[[], None] = lambda: None
        self.on_handoff_failure: Callable[[str, str], None] = lambda *_: None
        self.follow: Callable[[WorkerRecord], bool] = lambda _: False
        """Whether another worker takes the place of one that has failed."""

    def put(self, happening: Happening) -> None:
        """Say what happened. Safe in any thread and in a signal handler."""
        if isinstance(happening, WorkerMessage):
            # When it came, not when the loop comes to it: the loop may be late.
            self._heard[happening.worker_id] = self._clock()
            if isinstance(happening.message, SpanCounts):
                self.spans.note(happening.worker_id, happening.message)
                return
        self._queue.put(happening)

    @property
    def forced(self) -> bool:
        """Whether a second request to stop has come."""
        return len(self.stop_reasons) > 1

    @property
    def broken(self) -> bool:
        """Whether a worker, or the hub, has failed."""
        return self.failed is not None or self.hub_failure is not None

    def step(self, deadline: float | None) -> None:
        """Wait for the next happening, the deadline, or a worker's; and take it in."""
        began = self._clock()
        dues = [*self._judge.dues(), *([] if deadline is None else [deadline])]
        dues += [due for due in (alarm.due() for alarm in self.alarms) if due is not None]
        until = wait_until(began, dues)
        happening: Happening | None = None
        with contextlib.suppress(queue.Empty):
            happening = self._queue.get(timeout=None if until is None else until - began)
        woke = self._clock()
        if paused := paused_seconds(began, until, woke):
            self._forgive(paused, woke)
        if happening is not None:
            self._take(happening)
        now = self._clock()
        self._listen()
        self._judge.judge(now)
        for alarm in self.alarms:
            when = alarm.due()
            if when is not None and when <= now:
                alarm.ring(now)

    def blame(self, record: WorkerRecord) -> None:
        """The run ends by this worker, unless it ends by another already."""
        if self.failed is None:
            self.failed, self.failed_at = record, self._clock()

    def fail(self, record: WorkerRecord, breakage: Breakage) -> None:
        """A worker has failed, by a rule that somebody else has judged it by."""
        self._break(record, breakage)

    def catch_up(self) -> None:
        """Take in what has happened already."""
        while not self._queue.empty():
            self._take(self._queue.get())

    def evidence(self) -> RuntimeWorkerFailedError | HubFailedError | None:
        """The error of what failed first, with its evidence; None if nothing did."""
        return self.hub_failure if self.failed is None else failure_error(self.failed)

    # ---- time ------------------------------------------------------------------------------------

    def _forgive(self, paused: float, now: float) -> None:
        """Nobody is to blame for the time in which this process was stopped."""
        self.paused += paused
        self._log.emit("supervisor_paused", fields={"seconds": round(paused, 3)})
        self._judge.forgive(paused, now)

    def _listen(self) -> None:
        for record in self._roster:
            record.silence.heard(self._heard.get(record.worker_id, 0.0))

    # ---- what happened ---------------------------------------------------------------------------

    def _take(self, happening: Happening) -> None:
        match happening:
            case WorkerMessage(worker_id=worker_id, message=message):
                if record := self._roster.get(worker_id):
                    self._hear(record, message)
            case ProcessExited(worker_id=worker_id):
                if record := self._roster.get(worker_id):
                    self._exited(record)
            case WorkerLost(worker_id=worker_id):
                if record := self._roster.get(worker_id):
                    self._lost(record, happening)
            case HubFault():
                self._hub_fault(happening)
            case StopRequested(reason=reason):
                self.stop_reasons.append(reason)
                self._log.emit("stop_requested", fields={"reason": reason})
                self._on_stop(len(self.stop_reasons))
            case RefusalsCame():
                pass  # an alarm tells of them, at its own rate
            case Ping(answer=answer):
                answer()
            case HandoffFailed(group=group, category=kind):
                self.on_handoff_failure(group, kind)
            case RequestsSettled():
                self.on_settled()
            case AllAcknowledged():
                pass  # it wakes whoever waits for the end of the work
            case WorkerHello():
                pass  # its bundle follows by itself; the acknowledgement is what counts

    def _hear(self, record: WorkerRecord, message: object) -> None:
        match message:
            case BundleAck():
                self._perform(record, self._roster.apply(record, Event.BUNDLE_LOADED))
            case Ready(partial_outputs=paths):
                record.partial_outputs = paths
                self._perform(record, self._roster.apply(record, Event.SAID_READY))
            case Heartbeat(progress=ProgressMessage() as said) | (ProgressMessage() as said):
                done = said.records_in, said.records_out, said.batches
                counts = Counts(*done, said.waiting, said.requests)
                record.dead_lettered, record.skipped = said.dead_lettered, said.skipped
                record.metering = said.metering or record.metering
                self._progressed(record, counts)
            case Drained() as drained:
                record.drained = drained
                batches, asked = record.progress.batches, record.progress.requests
                counts = Counts(drained.records_in, drained.records_out, batches, 0, asked)
                self._progressed(record, counts)
                facts = {"outcome": drained.outcome.name.lower(), "records_in": drained.records_in}
                group, worker = record.group.name, record.worker_id
                self._log.emit("worker_drained", group=group, worker=worker, fields=facts)
            case Failed() as failed:
                self._break(record, Breakage.said(failed))

    def _progressed(self, record: WorkerRecord, counts: Counts) -> None:
        record.counted(counts)
        self._judge.said(record, counts, self._clock())
        self._roster.changed(record)

    def _perform(self, record: WorkerRecord, transition: Transition | None) -> None:
        """Do what the table says is to be done at a transition, if there was one."""
        match transition:
            case Transition(act=Act.OPEN_GATE):
                self._on_ready()
            case Transition(act=Act.BLAME) if not self.follow(record):
                self.blame(record)

    def _break(
        self,
        record: WorkerRecord,
        breakage: Breakage,
        event: Event = Event.BROKE,
        vitals: Vitals | None = None,
    ) -> None:
        record.lost_by = None
        self._perform(record, self._roster.broke(record, breakage, event, vitals))

    def _exited(self, record: WorkerRecord) -> None:
        transition = step(record.state, Event.EXITED)
        if transition is not None and transition.state is State.STOPPED:
            self._roster.released(record)
        else:
            self._break(record, Breakage(category.CRASH), Event.EXITED)

    def _lost(self, record: WorkerRecord, lost: WorkerLost) -> None:
        if lost.reason is LossReason.BUNDLE_FAILED:
            self._break(record, Breakage(category.START, f"it got no bundle: {lost.fault}"))
        else:
            # A crash shows here first; its exit status follows at once and says more.
            record.lost_by = self._clock() + _EVIDENCE_SECONDS

    def _hub_fault(self, fault: HubFault) -> None:
        worker = fault.worker_id or None
        facts = {"category": fault.category, "problem": fault.message}
        self._log.emit("hub_refused", worker=worker, fields=facts)
        record = self._roster.get(fault.worker_id)
        if record is not None:
            self._break(record, Breakage(fault.category, fault.message))
        elif self.hub_failure is None:
            self.hub_failure = HubFailedError(fault.message)
