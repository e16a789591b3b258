"""The state, events and status of the memory profile's one worker, which is this process."""

from __future__ import annotations

import os
import time
from typing import NoReturn, cast

from sk_kernel import EventRail, Progress, Totals, WorkerStatus
from sk_kernel.runtime import MEMORY
from sk_observability import EventName

from sk_supervisor._protocol.failures import EXECUTION, START, failure_of
from sk_supervisor._system.resident import resident_bytes
from sk_supervisor._system.signals import is_from_outside
from sk_supervisor.errors import ApplicationExitError, RuntimeLifecycleReadyError

#: The name of the one worker.
WORKER = "memory-0.1"


class LocalLife:
    """The worker's state and progress, with the events that report its changes."""

    def __init__(self, log: EventRail) -> None:
        self._log = log
        self._began = time.monotonic()
        self._seen = Progress(group=MEMORY)
        self._moved_at: float | None = None
        self.state, self.mode, self._category = "stopped", "graceful", ""

    @property
    def age_seconds(self) -> float:
        """Seconds since the worker was created."""
        return time.monotonic() - self._began

    def progressed(self, progress: Progress) -> None:
        """Note the worker's progress."""
        self._seen, self._moved_at = progress, time.monotonic()

    def moved(
        self, state: str, name: EventName, trace_id: str | None = None, **fields: object
    ) -> None:
        """Set the worker's state, and emit the event ``name``."""
        self.state = state
        self._log.emit(name, group=MEMORY, worker=WORKER, fields=fields, trace_id=trace_id)

    def failed(self, error: Exception, category: str) -> None:
        """Note a failure, and emit the event for it."""
        self._category = category
        told = failure_of(error, started=category != START)
        facts = {"category": category, "message": told.message, "node": told.node}
        facts["cause_type"] = told.cause_type
        facts = {name: text for name, text in facts.items() if text}
        self.moved("failed", EventName.WORKER_FAILED, told.trace_id or None, **facts)

    def failed_to_start(self, error: Exception) -> RuntimeLifecycleReadyError:
        """Note a failed start; return the error to raise."""
        self.failed(error, START)
        failure = RuntimeLifecycleReadyError(START, [WORKER], 0.0, str(error))
        for note in getattr(error, "__notes__", ()):
            failure.add_note(note)
        return failure

    def raise_failure(self, error: BaseException, *, starting: bool = False) -> NoReturn:
        """Note the failure and raise its error; one from outside is raised without a note.

        :raises RuntimeLifecycleReadyError: if ``starting``.
        :raises ApplicationExitError: when application code tried to end the process.
        """
        if is_from_outside(error):
            raise error
        if isinstance(error, SystemExit | KeyboardInterrupt):
            error = ApplicationExitError(error)
        told = cast("Exception", error)
        if starting:
            raise self.failed_to_start(told) from error
        self.failed(told, EXECUTION)
        raise error

    def status(self, totals: Totals) -> WorkerStatus:
        """The worker's status now, with the measured ``totals``."""
        seen, state, moved_at = self._seen, self.state, self._moved_at
        return WorkerStatus(
            worker_id=WORKER,
            pid=os.getpid(),
            os_pid=os.getpid(),
            alive=True,
            ready=state in ("ready", "running"),
            state=state,
            records_in=seen.records_in,
            records_out=seen.records_out,
            source_records=seen.source_records,
            batches=seen.batches,
            dead_lettered=seen.dead_lettered,
            skipped=seen.skipped,
            progress_age_seconds=None if moved_at is None else time.monotonic() - moved_at,
            age_seconds=self.age_seconds,
            rss_bytes=resident_bytes(os.getpid()),
            category=self._category,
            totals=totals,
        )
