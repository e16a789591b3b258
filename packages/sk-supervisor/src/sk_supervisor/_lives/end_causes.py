"""Why a run is to end: the first failure of a worker or of the hub, and the requests to stop."""

from __future__ import annotations

from sk_supervisor._lives.clock import LoopClock
from sk_supervisor._lives.record import WorkerRecord, failure_error
from sk_supervisor._lives.stop_requests import StopRequests
from sk_supervisor.errors import HubFailedError, RuntimeWorkerFailedError


class EndCauses:
    """What is known so far. Written by the loop's thread only; it decides nothing.

    ``failed`` is the worker by whose failure the run ends, since ``failed_at`` on the loop's clock.
    """

    def __init__(self, clock: LoopClock) -> None:
        self._clock = clock
        self.failed: WorkerRecord | None = None
        self.failed_at = 0.0
        self.hub_failure: HubFailedError | None = None
        self.stops = StopRequests()

    def blame(self, record: WorkerRecord) -> None:
        """The run ends by this worker, unless it ends by another already."""
        if self.failed is None:
            self.failed, self.failed_at = record, self._clock.now()

    def blame_hub(self, problem: str) -> None:
        """The supervisor's own hub relays nothing any more; the first problem is kept."""
        if self.hub_failure is None:
            self.hub_failure = HubFailedError(problem)

    @property
    def forced(self) -> bool:
        """Whether the run is to end at once: who requested a stop said so."""
        return self.stops.forced

    @property
    def broken(self) -> bool:
        """Whether a worker that nobody follows, or the hub, has failed."""
        return self.failed is not None or self.hub_failure is not None

    def error(self) -> RuntimeWorkerFailedError | HubFailedError | None:
        """The error of the failure, with its evidence; None if nothing failed."""
        return self.hub_failure if self.failed is None else failure_error(self.failed)
