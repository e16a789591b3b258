"""A worker's assembled parts, the calls of its main thread to them, and how they end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sk_control import Metering, SpanCounts
from sk_kernel import KernelError
from sk_kernel.runtime import Batch

from sk_supervisor._protocol.metering import metering_of
from sk_supervisor._worker.data_plane import DataPlaneChannel
from sk_supervisor._worker.engine import Engine
from sk_supervisor._worker.inbox import Credit
from sk_supervisor._worker.source_thread import SourceThread

if TYPE_CHECKING:
    from sk_supervisor._profile.measures import Profiler
    from sk_supervisor._worker.spans import WorkerSpans

#: How long a source that has not ended by itself may take to close at the end of the run.
_CLOSE_SECONDS = 0.5
#: How long the last credit may take to arrive. It is under way when all work is done; if the work
#: is not done it never comes, and the worker has little time left.
_CREDIT_SECONDS = 0.05


class Assembly:
    """The parts of a worker that has been built.

    :param reader: None if the source is in another worker.
    :param spans: None if the run is not traced.
    :param profiler: None if the run is not profiled.
    :param standing: returns where the main thread stands. Any thread.
    """

    def __init__(
        self,
        engine: Engine,
        data_plane: DataPlaneChannel,
        credit: Credit,
        reader: SourceThread | None = None,
        spans: WorkerSpans | None = None,
        profiler: Profiler | None = None,
        standing: Callable[[], str] = str,
    ) -> None:
        self.engine, self.data_plane, self.credit = engine, data_plane, credit
        self.standing = standing
        self._reader, self._spans = reader, spans
        self.profiler = profiler
        #: Whether the worker has reported that all work is done.
        self.reported = False
        self._named: tuple[str, ...] | None = None

    def open(self) -> None:
        """Open the adapters that are in this worker.

        :raises AdapterFailedError: when one cannot be opened.
        """
        if self._reader is not None:
            self._reader.open()
        self.engine.open()

    def metering(self) -> Metering:
        """The measurements of the work. Any thread."""
        credit = self.credit.left if self._reader is not None else None
        return metering_of(self.engine.meter.totals(), time.process_time(), credit)

    def span_counts(self) -> SpanCounts | None:
        """The counts of the spans so far; None if the run is not traced. Any thread."""
        return self._spans.counts() if self._spans else None

    def partial_outputs(self) -> tuple[str, ...]:
        """Where the sink's unfinished output is; empty if the sink is in another worker.

        :raises AdapterFailedError: when the sink cannot name it.
        """
        self._named = self.engine.sink.partial_outputs() if self.engine.sink else ()
        return self._named

    def left_outputs(self) -> tuple[str, ...]:
        """As :meth:`partial_outputs`, at the end; the last known ones if the sink fails."""
        if self._named is not None:  # otherwise it was never open
            try:
                return self.partial_outputs()
            except (KernelError, SystemExit, KeyboardInterrupt) as error:
                sys.stderr.write(f"and then: {type(error).__name__}: {error}\n")
        return self._named or ()

    def start_source(self) -> None:
        """Begin to read, if the source is in this worker, as the gate is open."""
        if self.profiler is not None:
            self.profiler.begin()
        if self._reader is not None:
            self._reader.start()

    @property
    def closes_source(self) -> bool:
        """Whether the source is being closed at the end of input. Any thread."""
        return self._reader is not None and self._reader.closes

    def interrupt_source(self) -> None:
        """End the input, if the source is in this worker. Any thread."""
        if self._reader is not None:
            self._reader.interrupt()

    def trace_source(self, batch: Batch) -> None:
        """Record the spans of the reading of a batch."""
        if self._spans is not None and self._reader is not None and batch.sampled:
            self._spans.of_reading(self._reader.driver, batch)

    @property
    def holds_spans(self) -> bool:
        """Whether there are spans that have not been passed to the exporters."""
        return self._spans is not None and self._spans.held

    def export(self) -> None:
        """Pass the spans that are held to the exporters."""
        if self._spans is not None:
            self._spans.export()

    def end(self) -> None:
        """End requests, abort a sink that has not ended, close, export, and disconnect.

        Requests under way have ended before anything is closed that they may use, except for a
        coroutine that ignores its cancellation.

        :raises AdapterFailedError: when an adapter cannot end; the rest is still done.
        :raises DeadLetterError: when a dead letter cannot be written; the rest is still done.
        """
        with ExitStack() as ends:  # the last one first; each runs even if another fails
            ends.callback(self.data_plane.shutdown)
            # After the export of spans, as a worker with no time left would lose them.
            if self.reported:  # the stop takes another path, and may arrive before the credit
                ends.callback(self.credit.settle, _CREDIT_SECONDS)
            if self._spans is not None:
                ends.callback(self._spans.close)
            ends.callback(self.engine.close)
            if self._reader is not None:
                ends.callback(self._reader.end, _CLOSE_SECONDS)
            self.engine.end()
