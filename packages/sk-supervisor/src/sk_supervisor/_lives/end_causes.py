"""Why a run is to end: the first failure of a worker or of the hub, and the stop requests."""

from __future__ import annotations

from sk_supervisor._lives.clock import LoopClock
from sk_supervisor._lives.record import WorkerRecord, failure_error
from sk_supervisor._lives.stop_requests import StopRequests
from sk_supervisor.errors import HubFailedError, RuntimeWorkerFailedError


class EndCauses:
    """The causes so far. Written by the loop's thread only; it decides nothing.

    ``failed`` is the worker whose failure ends the run; ``failed_at`` is when, on the loop's clock.
    """

    def __init__(self, clock: LoopClock) -> None:
        self._clock = clock
        self.failed: WorkerRecord | None = None
        self.failed_at = 0.0
        self.hub_failure: HubFailedError | None = None
        self.stops = StopRequests()

    def blame(self, record: WorkerRecord) -> None:
        """Let the failure of this worker end the run, unless another one ends it already."""
        if self.failed is None:
            self.failed, self.failed_at = record, self._clock.now()

    def blame_hub(self, problem: str) -> None:
        """Record that the supervisor's hub failed; the first problem is kept."""
        if self.hub_failure is None:
            self.hub_failure = HubFailedError(problem)

    @property
    def forced(self) -> bool:
        """Whether a forced stop was requested: the run is to end at once."""
        return self.stops.forced

    @property
    def broken(self) -> bool:
        """Whether the hub, or a worker that gets no successor, has failed."""
        return self.failed is not None or self.hub_failure is not None

    def error(self) -> RuntimeWorkerFailedError | HubFailedError | None:
        """Return the error of the failure, with its evidence; None if nothing has failed."""
        return self.hub_failure if self.failed is None else failure_error(self.failed)
