"""A worker's assembled parts, the calls that concern several of them, and how they end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sk_control import Metering
from sk_kernel import KernelError
from sk_kernel.runtime import Batch

from sk_supervisor._protocol.metering import metering_of
from sk_supervisor._worker.data_plane import DataPlaneChannel
from sk_supervisor._worker.engine import Engine
from sk_supervisor._worker.inbox import Credit
from sk_supervisor._worker.responder import Responder
from sk_supervisor._worker.segments import Segments
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
    """The parts of a worker that has been built: they are public.

    :param reader: None if the source is in another worker.
    :param spans: None if the run is not traced.
    :param profiler: None if the run is not profiled.
    :param position: returns the position of the main thread. Any thread.
    """

    def __init__(
        self,
        *,
        segments: Segments,
        engine: Engine,
        responder: Responder,
        data_plane: DataPlaneChannel,
        credit: Credit,
        reader: SourceThread | None = None,
        spans: WorkerSpans | None = None,
        profiler: Profiler | None = None,
        position: Callable[[], str] = str,
    ) -> None:
        self.segments, self.engine, self.responder = segments, engine, responder
        self.data_plane, self.credit, self.reader = data_plane, credit, reader
        self.spans, self.profiler, self.position = spans, profiler, position
        #: Whether the worker has reported that all work is done.
        self.reported = False
        self._named: tuple[str, ...] | None = None

    def open(self) -> None:
        """Open the adapters that are in this worker.

        :raises AdapterFailedError: when one cannot be opened.
        """
        if self.reader is not None:
            self.reader.open()
        self.segments.open()

    def metering(self) -> Metering:
        """The measurements of the work. Any thread."""
        credit = self.credit.left if self.reader is not None else None
        return metering_of(self.engine.meter.totals(), time.process_time(), credit)

    def partial_outputs(self) -> tuple[str, ...]:
        """Where the sink's unfinished output is; empty if the sink is in another worker.

        :raises AdapterFailedError: when the sink cannot name it.
        """
        sink = self.segments.sink
        self._named = sink.partial_outputs() if sink is not None else ()
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
        if self.reader is not None:
            self.reader.start()

    def trace_source(self, batch: Batch) -> None:
        """Record the spans of the reading of a batch."""
        if self.spans is not None and self.reader is not None and batch.sampled:
            self.spans.of_reading(self.reader.driver, batch)

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
            if self.spans is not None:
                ends.callback(self.spans.close)
            ends.callback(self.segments.close)
            if self.reader is not None:
                ends.callback(self.reader.end, _CLOSE_SECONDS)
            ends.callback(self.segments.end)
            self.responder.end()
