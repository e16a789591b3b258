"""Waiting in the loop for a start or for the end of the work, and the errors that end the wait."""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import inf

from sk_kernel import LifecycleError

from sk_supervisor._lives.end_causes import EndCauses
from sk_supervisor._lives.lateness import lateness
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.roster import Roster
from sk_supervisor._loop.loop import SupervisorLoop
from sk_supervisor._requests.handoff import Handoff
from sk_supervisor._session.session_handle import SessionHandle
from sk_supervisor._session.workload import Workload
from sk_supervisor._stop.draining import FAILURE_BUDGET_SECONDS, Draining
from sk_supervisor.errors import (
    RuntimeLifecycleReadyError,
    RuntimeWorkerFailedError,
    StartInterruptedError,
    StopForcedError,
    StopTimeoutError,
)

#: How long to wait, at most, until the hub has read everything that a dead worker has sent.
_LAST_REPORT_SECONDS = 1.0


class Waiting:
    """Turns the loop until a condition holds; raises the typed error of what ends the wait."""

    def __init__(
        self,
        loop: SupervisorLoop,
        *,
        causes: EndCauses,
        roster: Roster,
        session: SessionHandle,
        work: Workload,
        handoff: Handoff,
        draining: Draining,
    ) -> None:
        self._loop, self._causes, self._roster = loop, causes, roster
        self._session, self._work = session, work
        self._handoff, self._draining = handoff, draining

    def until_ready(self, groups: Collection[str], timeout_seconds: float) -> bool:
        """Return whether all of these groups were ready within the time.

        :raises RuntimeLifecycleReadyError, HubFailedError: when a worker, or the hub, failed.
        :raises StartInterruptedError, StopForcedError: when a stop was requested.
        """
        wanted = set(groups)
        return self.until(lambda: self._roster.ready_groups() >= wanted, timeout_seconds)

    def until(self, is_there: Callable[[], bool], timeout_seconds: float) -> bool:
        """Return whether a start condition held in time; raises as :meth:`until_ready`."""
        end = self._loop.now() + timeout_seconds
        while True:
            self._raise_failure(starting=True)
            if is_there():
                return True
            self._raise_interruption()
            if self._loop.now() >= end:
                return False
            self._loop.step(end)

    def catch_up(self) -> None:
        """Handle the events that have already arrived. Raises as :meth:`until_ready`."""
        self._loop.catch_up()
        self._raise_failure(starting=True)
        self._raise_interruption()

    def until_begun(self, timeout_seconds: float) -> None:
        """Return when every group was told to start.

        :raises RuntimeLifecycleReadyError: when they were not ready within the time, or a worker
            failed before it was ready.
        :raises StartInterruptedError, StopForcedError: when a stop was requested.
        :raises RuntimeWorkerFailedError, HubFailedError: when a worker, or the hub, failed.
        """
        end = self._loop.now() + timeout_seconds
        while not self._work.all_begun():
            until = self._failure_deadline()
            self._raise_interruption()
            if self._loop.now() >= end:
                late = self._roster.late()
                raise RuntimeLifecycleReadyError("timeout", late, timeout_seconds)
            self._loop.step(min(until, end))

    def until_done(self) -> None:
        """Return when all work is done and every request has been answered.

        Once the work is done, no more requests are accepted; a failed run does not answer those in
        flight. After a failure, the other workers go on as long as the output may still become
        complete. Once the sink has committed, nothing is raised any more: the run is complete.

        :raises StopTimeoutError: when a requested stop did not drain within its budget.
        :raises StopForcedError: when a forced stop was requested before the run had drained.
        :raises RuntimeWorkerFailedError, HubFailedError: when a worker, or the hub, failed.
        :raises RuntimeLifecycleReadyError: when a worker failed before it was ready.
        """
        while True:
            if self._work.is_done(broken=self._causes.broken):
                self._handoff.refuse()
                if self._causes.broken or not self._handoff.in_flight:
                    return
            try:
                deadline = self._deadline()
            except LifecycleError:
                if not self._work.committed:
                    raise
                self._handoff.refuse()
                return  # after the commit, nothing else is waited for
            self._loop.step(deadline)

    def _deadline(self) -> float | None:
        """Return until when the work may go on at present; None for no limit."""
        until = self._failure_deadline()
        self._raise_if_out_of_time()
        until = min(until, self._draining.until)
        return until if until < inf else None

    def _failure_deadline(self) -> float:
        """Return until when the workers may go on; after a failure, only to complete the output.

        :raises RuntimeLifecycleReadyError, RuntimeWorkerFailedError, HubFailedError: the failure,
            when that time is over.
        """
        until = self._failure_grace_until()
        if until <= self._loop.now():
            self._raise_failure(starting=False)
        return until

    def _failure_grace_until(self) -> float:
        failed = self._causes.failed
        if failed is not None and self._session.has_sent_all(failed):
            # The output may become complete, and be committed, without the failed worker.
            return self._causes.failed_at + FAILURE_BUDGET_SECONDS
        if failed is not None and self._sink_report_may_be_under_way(failed):
            return self._causes.failed_at + _LAST_REPORT_SECONDS
        return 0.0 if self._causes.broken else inf

    def _sink_report_may_be_under_way(self, dead: WorkerRecord) -> bool:
        """Whether the report of a dead worker on its sink may still be on its way."""
        unread = not dead.process.alive and not dead.left_hub
        return unread and self._work.sink_may_have_ended(dead)

    def _raise_failure(self, *, starting: bool) -> None:
        """Raise the error of the first failure, if anything has failed."""
        error = self._causes.error()
        if error is None:
            return
        record = self._causes.failed
        # If its place once had a ready worker, the run had started, whatever its last worker was
        # doing.
        early = record is not None and (starting or not record.came_up)
        if isinstance(error, RuntimeWorkerFailedError) and record is not None and early:
            waited = self._causes.failed_at - record.place_since
            raise RuntimeLifecycleReadyError(
                error.category, [error.worker], waited, str(error)
            ) from error
        raise error

    def _raise_interruption(self) -> None:
        """Raise if a stop was requested before the run was started."""
        if self._causes.forced:
            raise StopForcedError(())  # no worker is late: a start has nothing to drain
        if self._causes.stops.reasons:
            raise StartInterruptedError(self._causes.stops.reasons[0])

    def _raise_if_out_of_time(self) -> None:
        if self._causes.forced:
            raise StopForcedError(self._work.late(), self._why())
        if self._loop.now() >= self._draining.until:
            budget, drain = self._draining.budget_seconds, self._draining.drain_seconds
            raise StopTimeoutError(self._work.late(), budget, self._why(), drain_seconds=drain)

    def _why(self) -> dict[str, str]:
        return lateness(self._roster.in_order(self._work.order))
