"""Waiting in the loop, for a start or for the work to be done; and what ends either before that."""

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
from sk_supervisor._session.workload import Workload
from sk_supervisor._stop.draining import FAILURE_BUDGET_SECONDS, Draining
from sk_supervisor.errors import (
    RuntimeLifecycleReadyError,
    RuntimeWorkerFailedError,
    StartInterruptedError,
    StopForcedError,
    StopTimeoutError,
)

#: How long what a dead worker has said is read by the hub, at most, until it is taken for nothing.
_LAST_WORD_SECONDS = 1.0


class Waiting:
    """Turns the loop until what is waited for is there; raises the typed error of what ends it."""

    def __init__(
        self,
        loop: SupervisorLoop,
        causes: EndCauses,
        roster: Roster,
        work: Workload,
        handoff: Handoff,
        draining: Draining,
    ) -> None:
        self._loop, self._causes, self._roster = loop, causes, roster
        self._work, self._handoff, self._draining = work, handoff, draining

    def until_ready(self, groups: Collection[str], timeout_seconds: float) -> bool:
        """Whether all of these groups were ready within the time.

        :raises RuntimeLifecycleReadyError, HubFailedError: when a worker, or the hub, failed.
        :raises StartInterruptedError, StopForcedError: when a stop was requested.
        """
        wanted = set(groups)
        return self.until(lambda: self._roster.ready_groups() >= wanted, timeout_seconds)

    def until(self, is_there: Callable[[], bool], timeout_seconds: float) -> bool:
        """Whether something of a start was there within the time; as :meth:`until_ready`."""
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
        """Take in what has happened already. Raises as :meth:`until_ready`."""
        self._loop.catch_up()
        self._raise_failure(starting=True)
        self._raise_interruption()

    def until_begun(self, timeout_seconds: float) -> None:
        """Return when every group was told to start.

        :raises RuntimeLifecycleReadyError: when they were not ready within the time, or a worker
            failed that had not been ready yet.
        :raises StartInterruptedError, StopForcedError: when a stop was requested.
        :raises RuntimeWorkerFailedError, HubFailedError: when a worker, or the hub, failed.
        """
        end = self._loop.now() + timeout_seconds
        while not self._work.all_begun():
            patience = self._patience()
            self._raise_interruption()
            if self._loop.now() >= end:
                late = self._roster.late()
                raise RuntimeLifecycleReadyError("timeout", late, timeout_seconds)
            self._loop.step(min(patience, end))

    def until_done(self) -> None:
        """Return when all work is done, and nobody waits for a reply any more.

        Behind the work no request is taken; a failed run answers none.
        Behind a failure the others go on as long as the output may be complete all the same. Once
        the sink has committed nothing is raised any more: the run is complete.

        :raises StopTimeoutError: when a requested stop did not drain within its budget.
        :raises StopForcedError: when a stop by force was requested before that.
        :raises RuntimeWorkerFailedError, HubFailedError: when a worker, or the hub, failed.
        :raises RuntimeLifecycleReadyError: when a worker failed that had not been ready yet.
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
                return  # nothing that comes behind the commit is waited for any longer
            self._loop.step(deadline)

    def _deadline(self) -> float | None:
        """Until when the work may go on as things are; None for as long as it takes."""
        patience = self._patience()
        self._raise_if_out_of_time()
        until = min(patience, self._draining.until)
        return until if until < inf else None

    def _patience(self) -> float:
        """Until when the others may go on working: behind a failure, only to finish without it.

        :raises RuntimeLifecycleReadyError, RuntimeWorkerFailedError, HubFailedError: what failed,
            when that is over.
        """
        until = self._allowed()
        if until <= self._loop.now():
            self._raise_failure(starting=False)
        return until

    def _allowed(self) -> float:
        failed = self._causes.failed
        if failed is not None and self._work.has_sent_all(failed):
            # The output may be complete, and in place, all the same.
            return self._causes.failed_at + FAILURE_BUDGET_SECONDS
        if failed is not None and self._is_owed_a_word(failed):
            return self._causes.failed_at + _LAST_WORD_SECONDS
        return 0.0 if self._causes.broken else inf

    def _is_owed_a_word(self, dead: WorkerRecord) -> bool:
        """Whether what a dead worker has said of its sink may still be on its way."""
        unread = not dead.process.alive and not dead.left_hub
        return unread and self._work.may_have_ended(dead)

    def _raise_failure(self, *, starting: bool) -> None:
        """Raise the error of what failed first; return if nothing did."""
        error = self._causes.error()
        if error is None:
            return
        record = self._causes.failed
        # Where its place was filled once, the run had started, whatever its last worker was about.
        early = record is not None and (starting or not record.came_up)
        if isinstance(error, RuntimeWorkerFailedError) and record is not None and early:
            waited = self._causes.failed_at - record.place_since
            raise RuntimeLifecycleReadyError(
                error.category, [error.worker], waited, str(error)
            ) from error
        raise error

    def _raise_interruption(self) -> None:
        """Raise if a stop was requested: of a run that was still to be started."""
        if self._causes.forced:
            raise StopForcedError(())  # nobody is late: a start has nothing to drain
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
