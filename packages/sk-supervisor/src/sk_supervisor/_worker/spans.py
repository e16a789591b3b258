"""The spans of a worker, until they are passed to the exporters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sk_control import SpanCounts
from sk_kernel.runtime import Batch, SourceDriver, Tracer

from sk_supervisor._protocol.span_accounts import message_of

if TYPE_CHECKING:  # a worker that traces nothing starts without it
    from sk_observability import SpanFanOut


class WorkerSpans:
    """A tracer, and the exporters of its spans. Main thread only, except :meth:`counts`.

    :param branching: whether a record can become several in the graph.
    """

    def __init__(
        self, tracer: Tracer, exporters: SpanFanOut, worker_id: str, *, branching: bool
    ) -> None:
        self.tracer, self._exporters = tracer, exporters
        self._worker_id, self._branching = worker_id, branching
        self._closed = False

    @property
    def held(self) -> bool:
        """Whether there are spans that have not been passed to the exporters."""
        return not self._closed and self.tracer.holds

    def of_reading(self, source: SourceDriver, batch: Batch) -> None:
        """Record the spans of the source's reading of a batch."""
        source.trace(self.tracer, batch, branching=self._branching)

    def export(self) -> None:
        """Pass the spans that are held to the exporters."""
        self.tracer.flush()

    def close(self) -> None:
        """Export every span, and close the exporters. Idempotent."""
        if not self._closed:
            self._closed = True
            self.tracer.close()

    def counts(self) -> SpanCounts:
        """The counts of exported and dropped spans so far. Any thread."""
        return message_of(self._exporters.account(self._worker_id))
