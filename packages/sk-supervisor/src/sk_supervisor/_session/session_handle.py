"""The session of a run as its other parts use it: there may be none yet, or none any more."""

from __future__ import annotations

from sk_control import ControlError, ControlMessage

from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._session.session import Session
from sk_supervisor.errors import AtHand


class SessionHandle:
    """Passes calls on to the open session; without one they do nothing. The loop's thread only.

    ``current`` is the open session, from the first start of workers to :meth:`close`.
    """

    def __init__(self) -> None:
        self.current: Session | None = None

    def tell(self, record: WorkerRecord, message: ControlMessage) -> bool:
        """Send a message to a worker; return False if there is no session to send it on."""
        if self.current is None:
            return False
        try:
            self.current.control.send(record.worker_id, message)
        except ControlError:
            return False  # the worker has no session (any more): its watch will report why
        return True

    def complete(self) -> bool:
        """Whether all work is done, to the end of input, even if a worker fails from now on."""
        return self.current is not None and self.current.relay.complete

    def has_sent_all(self, record: WorkerRecord) -> bool:
        """Whether this worker has sent all its output, so that the work can be done without it."""
        return self.current is not None and self.current.relay.has_sent_all(record.worker_id)

    def has_got_all(self, record: WorkerRecord) -> bool:
        """Whether the end of input was sent to this worker on every way."""
        return self.current is not None and self.current.relay.has_got_all(record.worker_id)

    def at_hand(self, worker: str) -> AtHand | None:
        """The batches that a worker was sent and has not passed on; None if unknown."""
        return self.current.relay.at_hand(worker) if self.current is not None else None

    def fail_requests_of(self, worker: str) -> None:
        """Fail the requests that are, or may be, in a worker that is gone."""
        if self.current is not None:
            self.current.gateway.lost(worker)

    def forget(self, worker: str) -> None:
        """Discard the state of a worker that is gone, as is its direct successor."""
        if self.current is not None:
            self.current.forget(worker)

    def close(self) -> None:
        """Close the session, if one is open, and disconnect all workers. Idempotent."""
        if self.current is not None:
            self.current.close()
            self.current = None
