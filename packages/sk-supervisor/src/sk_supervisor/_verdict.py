"""What ends a start or a run before its time: a failure, a request to stop, time that is over."""

from __future__ import annotations

import time
from math import inf

from sk_supervisor._ending import FAILURE_BUDGET_SECONDS, Ending
from sk_supervisor._lifecycle import State
from sk_supervisor._watch import Watch
from sk_supervisor._workload import Workload
from sk_supervisor.errors import (
    RuntimeLifecycleReadyError,
    RuntimeWorkerFailedError,
    StartInterruptedError,
    StopForcedError,
    StopTimeoutError,
)


class Verdict:
    """Raises the typed error of whatever has come of a run; changes nothing. The loop's thread."""

    def __init__(self, watch: Watch, work: Workload, ending: Ending) -> None:
        self._watch, self._work, self._ending = watch, work, ending

    def raise_failure(self, began: float, *, starting: bool) -> None:
        """Raise the error of what failed first; return if nothing did.

        :param began: when what it ends was begun, on the loop's clock.
        :param starting: whether that is a start, and not a run.
        :raises RuntimeWorkerFailedError: when a worker failed.
        :raises RuntimeLifecycleReadyError: when one failed in a start, or had not been ready yet.
        :raises HubFailedError: when the hub itself failed.
        """
        error = self._watch.evidence()
        if error is None:
            return
        record = self._watch.failed
        # To give up is no failure to start, whatever the last worker was about.
        starting = starting and not (record is not None and record.gave_up)
        early = record is not None and record.failed_in is State.STARTING and not record.gave_up
        if isinstance(error, RuntimeWorkerFailedError) and (starting or early):
            waited = time.monotonic() - began
            raise RuntimeLifecycleReadyError(
                error.category, [error.worker], waited, str(error)
            ) from error
        raise error

    def raise_interruption(self) -> None:
        """Raise if a stop was requested, of a run that was still to be started.

        :raises StartInterruptedError: then, with the first reason.
        :raises StopForcedError: when a second one was requested already.
        """
        if self._watch.forced:
            raise StopForcedError(())  # nobody is late: a start has nothing to drain
        if self._watch.stop_reasons:
            raise StartInterruptedError(self._watch.stop_reasons[0])

    def of_run(self, began: float) -> float | None:
        """Until when a run may wait for what happens next; None for as long as it takes.

        :raises StartInterruptedError: when a stop was requested before every group had begun.
        :raises StopTimeoutError: when a requested stop did not drain within its budget.
        :raises StopForcedError: when a second stop was requested before that, or before they had.
        :raises RuntimeWorkerFailedError, RuntimeLifecycleReadyError, HubFailedError: as
            :meth:`raise_failure`, unless the output may be complete all the same.
        """
        patience = self._patience()
        if patience <= time.monotonic():
            self.raise_failure(began, starting=False)
        if not self._work.all_begun():
            self.raise_interruption()
        self._raise_if_out_of_time()
        until = min(patience, self._ending.drain_until)
        return until if until < inf else None

    def _patience(self) -> float:
        """Until when the others may go on working: behind a failure, only to finish without it."""
        failed = self._watch.failed
        if failed is not None and self._work.has_sent_all(failed):
            # The output may be complete, and in place, all the same.
            return self._watch.failed_at + FAILURE_BUDGET_SECONDS
        return 0.0 if self._watch.broken else inf

    def _raise_if_out_of_time(self) -> None:
        if self._watch.forced:
            raise StopForcedError(self._work.late())
        if time.monotonic() >= self._ending.drain_until:
            raise StopTimeoutError(self._work.late(), self._ending.budget_seconds)
