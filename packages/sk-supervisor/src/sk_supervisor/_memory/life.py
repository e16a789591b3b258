"""The life of the memory profile's one worker, which is this process: states, events, status."""

from __future__ import annotations

import time
from typing import NoReturn, cast

from sk_kernel import EventRail, Progress, Totals, WorkerStatus
from sk_kernel.runtime import MEMORY
from sk_observability import EventName

from sk_supervisor._memory.status import WORKER, worker_status
from sk_supervisor._protocol.failures import EXECUTION, START, failure_of
from sk_supervisor._system.signals import is_from_outside
from sk_supervisor.errors import ApplicationExitError, RuntimeLifecycleReadyError


class LocalLife:
    """Where the worker is, and what has been told of it."""

    def __init__(self, log: EventRail) -> None:
        self._log = log
        self._began = time.monotonic()
        self._seen = Progress(group=MEMORY)
        self._moved_at: float | None = None
        self.state, self.mode, self._category = "stopped", "graceful", ""

    @property
    def age_seconds(self) -> float:
        """How long it has been there."""
        return time.monotonic() - self._began

    def progressed(self, progress: Progress) -> None:
        """It has come on."""
        self._seen, self._moved_at = progress, time.monotonic()

    def moved(
        self, state: str, name: EventName, trace_id: str | None = None, **fields: object
    ) -> None:
        """It has come into a state, with the event that says so."""
        self.state = state
        self._log.emit(name, group=MEMORY, worker=WORKER, fields=fields, trace_id=trace_id)

    def failed(self, error: Exception, category: str) -> None:
        """It has failed by an error."""
        self._category = category
        told = failure_of(error, started=category != START)
        facts = {"category": category, "message": told.message, "node": told.node}
        facts["cause_type"] = told.cause_type
        facts = {name: text for name, text in facts.items() if text}
        self.moved("failed", EventName.WORKER_FAILED, told.trace_id or None, **facts)

    def failed_to_start(self, error: Exception) -> RuntimeLifecycleReadyError:
        """It has, before it could work; gives what is to be raised."""
        self.failed(error, START)
        return RuntimeLifecycleReadyError(START, [WORKER], 0.0, str(error))

    def raise_failure(self, error: BaseException, *, starting: bool = False) -> NoReturn:
        """Raise what has come of an error, unless that came from outside.

        :raises RuntimeLifecycleReadyError: where nothing was opened yet.
        :raises ApplicationExitError: when application code would end the process.
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
        """As it is now, with what was measured."""
        moved_at = self._moved_at
        return worker_status(
            self._seen,
            self.state,
            age_seconds=self.age_seconds,
            progress_age_seconds=None if moved_at is None else time.monotonic() - moved_at,
            category=self._category,
            totals=totals,
        )
