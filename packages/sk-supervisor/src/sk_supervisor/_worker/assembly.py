"""A worker's parts, put together: what its main thread asks of them, and how they end."""

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

#: How long a source may take to close when the run ends without it.
_CLOSE_SECONDS = 0.5
#: How long the last credit may take: it is on its way when all work is done, and never comes where
#: that is not done: then a worker has little time, and other things to do with it.
_CREDIT_SECONDS = 0.05


class Assembly:
    """What a worker is built of, once it is.

    :param reader: where the source is in this worker.
    :param spans: where the run is traced.
    :param profiler: where it is profiled.
    :param standing: tells where its main thread stands. Any thread.
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
        #: Whether the supervisor has been told that all work is done.
        self.reported = False
        self._named: tuple[str, ...] | None = None

    def open(self) -> None:
        """Open the adapters that are here.

        :raises AdapterFailedError: when one cannot be.
        """
        if self._reader is not None:
            self._reader.open()
        self.engine.open()

    def metering(self) -> Metering:
        """What has been measured of the work. Any thread."""
        credit = self.credit.left if self._reader is not None else None
        return metering_of(self.engine.meter.totals(), time.process_time(), credit)

    def span_counts(self) -> SpanCounts | None:
        """What has become of the spans so far; None where nothing is traced. Any thread."""
        return self._spans.counts() if self._spans else None

    def partial_outputs(self) -> tuple[str, ...]:
        """Where the sink's unfinished output is, if the sink is here.

        :raises AdapterFailedError: when the sink cannot say so.
        """
        self._named = self.engine.sink.partial_outputs() if self.engine.sink else ()
        return self._named

    def left_outputs(self) -> tuple[str, ...]:
        """The same at the end, whatever comes of it: what was named last, where the sink fails."""
        if self._named is not None:  # else it was never open
            try:
                return self.partial_outputs()
            except (KernelError, SystemExit, KeyboardInterrupt) as error:
                sys.stderr.write(f"and then: {type(error).__name__}: {error}\n")
        return self._named or ()

    def start_source(self) -> None:
        """The gate is open: begin to read, if the source is here."""
        if self.profiler is not None:
            self.profiler.begin()
        if self._reader is not None:
            self._reader.start()

    @property
    def closes_source(self) -> bool:
        """Whether the source is being closed at the end of input. Any thread."""
        return self._reader is not None and self._reader.closes

    def interrupt_source(self) -> None:
        """End the input, if the source is here. Any thread."""
        if self._reader is not None:
            self._reader.interrupt()

    def trace_source(self, batch: Batch) -> None:
        """Note the spans of a batch's reading."""
        if self._spans is not None and self._reader is not None and batch.sampled:
            self._spans.of_reading(self._reader.driver, batch)

    @property
    def holds_spans(self) -> bool:
        """Whether there are spans that have not been handed to the exporters."""
        return self._spans is not None and self._spans.held

    def export(self) -> None:
        """Hand the spans that are held to the exporters."""
        if self._spans is not None:
            self._spans.export()

    def end(self) -> None:
        """Let requests end, abort a sink that has not ended, close, export, and hang up.

        What is under way of requests is over before anything is closed that it may use, but for a
        coroutine that does not heed that it is cancelled.

        :raises AdapterFailedError: when one cannot end; the rest is done all the same.
        :raises DeadLetterError: likewise, when what a node gave up cannot be written.
        """
        with ExitStack() as ends:  # the last one first; each runs even if another fails
            ends.callback(self.data_plane.shutdown)
            # After the spans: a worker that is given no time loses what it has not exported.
            if self.reported:  # the stop came another way, and may have overtaken it
                ends.callback(self.credit.settle, _CREDIT_SECONDS)
            if self._spans is not None:
                ends.callback(self._spans.close)
            ends.callback(self.engine.close)
            if self._reader is not None:
                ends.callback(self._reader.end, _CLOSE_SECONDS)
            self.engine.end()
