"""The mailbox: all threads of the supervisor put events into it, and its loop takes them out."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Iterator

from sk_control import SpanCounts, WorkerMessage

from sk_supervisor._lives.clock import LoopClock
from sk_supervisor._loop.loop_events import LoopEvent, RecordsSkipped
from sk_supervisor._loop.span_books import SpanBooks


class Mailbox:
    """A queue of events. Any thread, or a signal handler, puts; only the loop takes.

    Reports on spans are not queued: they are entered in ``spans`` at once, so that the last one
    counts even if it comes after its worker's exit. Counts of skipped records, which come with
    every batch, are not queued either.
    """

    def __init__(self, spans: SpanBooks, clock: LoopClock) -> None:
        self._spans, self._clock = spans, clock
        self._queue: queue.SimpleQueue[LoopEvent] = queue.SimpleQueue()
        self._heard_at: dict[str, float] = {}
        self._skipped: dict[str, int] = {}

    def put(self, event: LoopEvent) -> None:
        """Add an event. Never blocks."""
        if isinstance(event, WorkerMessage):
            # The time of arrival, since the loop may be late.
            self._heard_at[event.worker_id] = self._clock.now()
            if isinstance(event.message, SpanCounts):
                self._spans.note(event.worker_id, event.message)
                return
        elif isinstance(event, RecordsSkipped):
            count = max(event.count, self._skipped.get(event.worker_id, 0))
            self._skipped[event.worker_id] = count
            return
        self._queue.put(event)

    def take(self, timeout_seconds: float | None) -> LoopEvent | None:
        """Wait for the next event, at most so long (None: without limit); None if none came."""
        with contextlib.suppress(queue.Empty):
            return self._queue.get(timeout=timeout_seconds)
        return None

    def take_all(self) -> Iterator[LoopEvent]:
        """Yield the events that have come by now, but no later ones: so even a flood has an end."""
        for _ in range(self._queue.qsize()):
            yield self._queue.get_nowait()

    def forget(self, worker: str) -> None:
        """Drop the entries of a worker that is gone; its spans count in its place's sum."""
        self._heard_at.pop(worker, None)
        self._skipped.pop(worker, None)
        self._spans.fold(worker)

    def skipped(self, worker: str) -> int:
        """Return how many records a worker has skipped up to its last batch. Any thread."""
        return self._skipped.get(worker, 0)

    def heard(self, worker: str) -> float | None:
        """Return when a worker's last message came; None if none has come since the last call."""
        return self._heard_at.pop(worker, None)
