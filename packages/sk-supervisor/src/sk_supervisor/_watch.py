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
    WorkerHello,
    WorkerLost,
    WorkerMessage,
)
from sk_control import Progress as ProgressMessage
from sk_kernel import Progress
from sk_observability import LifecycleLog

from sk_supervisor import _failures as category
from sk_supervisor._happenings import (
    Happening,
    HubFault,
    ProcessExited,
    RefusalsCame,
    StopRequested,
)
from sk_supervisor._lifecycle import Event, State
from sk_supervisor._roster import Breakage, Roster, WorkerRecord, failure_error
from sk_supervisor.errors import HubFailedError, RuntimeWorkerFailedError

#: How long the evidence of a failure (its exit status) is waited for.
_EVIDENCE_SECONDS = 1.0
#: Woken this much too late, the supervisor itself was stopped, and knows nothing of its workers.
_PAUSE_SECONDS = 1.0
_LIVE = (State.READY, State.RUNNING)


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
    """

    def __init__(
        self,
        roster: Roster,
        log: LifecycleLog,
        *,
        on_ready: Callable[[], None],
        on_stop: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roster, self._log, self._clock = roster, log, clock
        self._on_ready, self._on_stop = on_ready, on_stop
        self._queue: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self._heard: dict[str, float] = {}
        self.failed: WorkerRecord | None = None
        self.failed_at = 0.0
        self.hub_failure: HubFailedError | None = None
        self.stop_reasons: list[str] = []
        self.alarms: list[Alarm] = []

    def put(self, happening: Happening) -> None:
        """Say what happened. Safe in any thread and in a signal handler."""
        if isinstance(happening, WorkerMessage):
            # When it came, not when the loop comes to it: the loop may be late.
            self._heard[happening.worker_id] = self._clock()
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
        dues = self._deadlines() + ([] if deadline is None else [deadline])
        dues += [due for due in (alarm.due() for alarm in self.alarms) if due is not None]
        due = max(began, min(dues)) if dues else None
        happening: Happening | None = None
        with contextlib.suppress(queue.Empty):
            happening = self._queue.get(timeout=None if due is None else due - began)
        if due is not None:
            self._notice_pause(due, self._clock())
        if happening is not None:
            self._take(happening)
        now = self._clock()
        self._judge(now)
        for alarm in self.alarms:
            when = alarm.due()
            if when is not None and when <= now:
                alarm.ring(now)

    def catch_up(self) -> None:
        """Take in what has happened already."""
        while not self._queue.empty():
            self._take(self._queue.get())

    def evidence(self) -> RuntimeWorkerFailedError | HubFailedError | None:
        """The error of what failed first, with how a crashed process ended; None if nothing did."""
        if self.failed is None:
            return self.hub_failure
        if self.failed.breakage and self.failed.breakage.category == category.CRASH:
            self.failed.process.await_exit(_EVIDENCE_SECONDS)
        return failure_error(self.failed)

    # ---- time ------------------------------------------------------------------------------------

    def _deadlines(self) -> list[float]:
        due = [r.silent_after for r in self._roster if r.state in _LIVE]
        due += [r.start_by for r in self._roster if r.state is State.STARTING]
        due += [
            r.lost_by for r in self._roster if r.lost_by and r.state in (State.STARTING, *_LIVE)
        ]
        return due

    def _notice_pause(self, due: float, now: float) -> None:
        """Forgive every worker the time in which this process was stopped (Ctrl-Z, a debugger)."""
        paused = now - due
        if paused < _PAUSE_SECONDS:
            return
        self._log.emit("supervisor_paused", fields={"seconds": round(paused, 3)})
        for record in self._roster:
            record.last_heard = now
            record.start_by += paused

    def _judge(self, now: float) -> None:
        for record in self._roster:
            record.last_heard = max(record.last_heard, self._heard.get(record.worker_id, 0.0))
            if record.state is State.STARTING and now >= record.start_by:
                patience = record.group.start_timeout_seconds
                self._break(record, Breakage(category.TIMEOUT, f"not ready within {patience} s"))
            elif record.state in _LIVE and now >= record.silent_after:
                message = f"no heartbeat for {now - record.last_heard:.1f} s"
                self._break(record, Breakage(category.HEARTBEAT, message))
            if record.lost_by is not None and now >= record.lost_by:
                self._break(record, Breakage(category.CRASH, "its control session was lost"))

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
            case WorkerHello():
                pass  # its bundle follows by itself; the acknowledgement is what counts

    def _hear(self, record: WorkerRecord, message: object) -> None:
        match message:
            case BundleAck():
                self._roster.apply(record, Event.BUNDLE_LOADED)
            case Ready(partial_outputs=paths):
                record.partial_outputs = paths
                self._roster.apply(record, Event.SAID_READY)
                self._on_ready()
            case Heartbeat(progress=ProgressMessage() as said) | (ProgressMessage() as said):
                self._progressed(record, said.records_in, said.records_out, said.batches)
            case Drained() as drained:
                record.drained = drained
                batches = record.progress.batches
                self._progressed(record, drained.records_in, drained.records_out, batches)
                facts = {"outcome": drained.outcome.name.lower(), "records_in": drained.records_in}
                group, worker = record.group.name, record.worker_id
                self._log.emit("worker_drained", group=group, worker=worker, fields=facts)
            case Failed() as failed:
                self._break(record, Breakage.said(failed))

    def _progressed(self, record: WorkerRecord, taken: int, given: int, batches: int) -> None:
        record.progress = Progress(record.group.name, taken, given, batches)
        self._roster.changed(record)

    def _break(self, record: WorkerRecord, breakage: Breakage) -> None:
        record.lost_by = None
        if self._roster.broke(record, breakage) and self.failed is None:
            self.failed, self.failed_at = record, self._clock()

    def _exited(self, record: WorkerRecord) -> None:
        if record.state is State.STOPPING:
            self._roster.released(record)
        else:
            self._break(record, Breakage(category.CRASH))

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
