"""The supervisor's one loop: waits for what happens next, and judges what it means for a worker."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

from sk_control import (
    BundleAck,
    Drained,
    Failed,
    Heartbeat,
    Ready,
    Refused,
    WorkerHello,
    WorkerLost,
    WorkerMessage,
)
from sk_control import Progress as ProgressMessage
from sk_kernel import Progress
from sk_observability import LifecycleLog

from sk_supervisor import _failures as category
from sk_supervisor._happenings import Happening, HubFault, ProcessExited, StopRequested
from sk_supervisor._lifecycle import Event, State
from sk_supervisor._roster import Breakage, Roster, WorkerRecord, failure_error
from sk_supervisor.errors import RuntimeWorkerFailedError

#: How long the evidence of a failure (exit status, last lines) is waited for.
_EVIDENCE_SECONDS = 1.0
_LIVE = (State.READY, State.RUNNING)


class Watch:
    """Takes happenings from any thread, and each of them in once, in the loop's thread.

    :param on_ready: called after a worker said that it is ready.
    :param on_stop: called after each request to stop, with their number so far.
    """

    def __init__(
        self,
        roster: Roster,
        log: LifecycleLog,
        *,
        on_ready: Callable[[], None],
        on_stop: Callable[[int], None],
    ) -> None:
        self._roster, self._log = roster, log
        self._on_ready, self._on_stop = on_ready, on_stop
        self._queue: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self.put = self._queue.put
        self.failed: WorkerRecord | None = None
        self.stop_reasons: list[str] = []

    @property
    def forced(self) -> bool:
        """Whether a second request to stop has come."""
        return len(self.stop_reasons) > 1

    def step(self, deadline: float | None) -> None:
        """Wait for the next happening, the deadline, or a worker's silence; and take it in."""
        due = [r.silent_after for r in self._roster if r.state in _LIVE]
        due += [r.start_by for r in self._roster if r.state is State.STARTING]
        due += [deadline] if deadline is not None else []
        timeout = max(0.0, min(due) - time.monotonic()) if due else None
        try:
            happening = self._queue.get(timeout=timeout)
        except queue.Empty:
            self._judge_silence(time.monotonic())
            return
        self._take(happening)

    def evidence(self) -> RuntimeWorkerFailedError:
        """The error of the worker that failed first, with how its process ended."""
        assert self.failed is not None  # noqa: S101 - the caller has looked
        if self.failed.breakage and self.failed.breakage.category == category.CRASH:
            self.failed.process.await_exit(_EVIDENCE_SECONDS)
        return failure_error(self.failed)

    def _judge_silence(self, now: float) -> None:
        for record in self._roster:
            if record.state in _LIVE and now >= record.silent_after:
                message = f"no heartbeat for {now - record.last_heard:.1f} s"
                self._break(record, Breakage(category.HEARTBEAT, message))

    def _take(self, happening: Happening) -> None:
        match happening:
            case WorkerMessage(worker_id=worker_id, message=message):
                if record := self._roster.get(worker_id):
                    record.last_heard = time.monotonic()
                    self._hear(record, message)
            case ProcessExited(worker_id=worker_id):
                if record := self._roster.get(worker_id):
                    self._exited(record)
            case WorkerLost(worker_id=worker_id, reason=reason):
                if record := self._roster.get(worker_id):
                    self._lost(record, str(reason))
            case HubFault(worker_id=worker_id, category=kind, message=text):
                self._hub_fault(worker_id, kind, text)
            case StopRequested(reason=reason):
                self.stop_reasons.append(reason)
                self._log.emit("stop_requested", fields={"reason": reason})
                self._on_stop(len(self.stop_reasons))
            case Refused(category=kind, code=code, worker_id=worker_id):
                facts = {"category": str(kind), "code": str(code), "claims": worker_id}
                self._log.emit("control_refused", level="debug", fields=facts)
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
                self._break(record, Breakage.told(failed))

    def _progressed(self, record: WorkerRecord, taken: int, given: int, batches: int) -> None:
        record.progress = Progress(record.group.name, taken, given, batches)
        self._roster.changed(record)

    def _break(self, record: WorkerRecord, breakage: Breakage) -> None:
        if self._roster.broke(record, breakage) and self.failed is None:
            self.failed = record

    def _exited(self, record: WorkerRecord) -> None:
        if record.state is State.STOPPING:
            self._roster.released(record)
        else:
            self._break(record, Breakage(category.CRASH))

    def _lost(self, record: WorkerRecord, reason: str) -> None:
        # A crash shows here first; its exit status follows at once and says more.
        record.process.await_exit(_EVIDENCE_SECONDS if record.state in _LIVE else 0.0)
        self._break(record, Breakage(category.CRASH, f"control session lost ({reason})"))

    def _hub_fault(self, worker_id: str, kind: str, text: str) -> None:
        self._log.emit(
            "hub_refused", worker=worker_id or None, fields={"category": kind, "problem": text}
        )
        record = self._roster.get(worker_id) or next(iter(self._roster), None)
        if record is not None:
            self._break(record, Breakage(category.TRANSPORT, text))
