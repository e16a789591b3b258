"""A worker's parts, put together: what its main thread asks of them, and how they end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sk_control import Metering, PeerReplaced, SpanCounts
from sk_kernel import Batch, Meter, Progress, SourceDriver, Tracer

from sk_supervisor._data_plane import DataPlaneChannel
from sk_supervisor._engine import Engine
from sk_supervisor._inbox import Credit
from sk_supervisor._metering import metering_of
from sk_supervisor._source_thread import SourceThread
from sk_supervisor._span_books import message_of

if TYPE_CHECKING:
    from sk_observability import SpanFanOut

    from sk_supervisor._profile import Profiler

#: How long a source may take to close when the run ends without it.
_CLOSE_SECONDS = 0.5
#: How long the last credit may take: it is on its way when all work is done, and never comes where
#: that is not done: then a worker has little time, and other things to do with it.
_CREDIT_SECONDS = 0.05


class Assembly:
    """What a worker is built of, once it is."""

    def __init__(
        self,
        engine: Engine,
        data_plane: DataPlaneChannel,
        credit: Credit,
        source: SourceDriver | None,
        reader: SourceThread | None,
        tracer: Tracer | None,
        *,
        branching: bool,
        meter: Meter,
        spans: SpanFanOut | None = None,
        profiler: Profiler | None = None,
    ) -> None:
        self.meter, self._spans = meter, spans
        self.engine, self.data_plane, self.credit = engine, data_plane, credit
        self._source, self._reader, self._tracer = source, reader, tracer
        self._branching = branching
        self.profiler = profiler
        self.reported = False

    def open(self) -> None:
        """Open the adapters that are here.

        :raises AdapterFailedError: when one cannot be.
        """
        if self._reader is not None:
            self._reader.open()
        if self.engine.sink is not None:
            self.engine.open_sink()

    def progress(self) -> Progress:
        """How far the work has come."""
        return self.engine.progress

    def metering(self) -> Metering:
        """What has been measured of the work. Any thread."""
        credit = self.credit.left if self._reader is not None else None
        return metering_of(self.meter.totals(), time.process_time(), credit)

    def span_counts(self) -> SpanCounts | None:
        """What has become of the spans so far; None where nothing is traced. Any thread."""
        return message_of(self._spans.account(self.data_plane.worker_id)) if self._spans else None

    def partial_outputs(self) -> tuple[str, ...]:
        """Where the sink's unfinished output is, if the sink is here."""
        return self.engine.sink.partial_outputs() if self.engine.sink else ()

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

    def replace_peer(self, replaced: PeerReplaced) -> None:
        """Send what goes to a group to its new worker, and again what may not be done.

        :raises TransportError: when the hub is lost.
        """
        self.data_plane.turn_to(replaced.worker_id, replaced.keys)

    def trace_source(self, batch: Batch) -> None:
        """Record the spans of a batch's reading."""
        if self._tracer is not None and self._source is not None and batch.sampled:
            self._source.trace(self._tracer, batch, branching=self._branching)

    @property
    def holds_spans(self) -> bool:
        """Whether there are spans that have not been handed to the exporters."""
        return self._tracer is not None and self._tracer.holds

    def export(self) -> None:
        """Hand the spans that are held to the exporters."""
        if self._tracer is not None:
            self._tracer.flush()

    def flush(self) -> None:
        """Export every span."""
        if self._tracer is not None:
            self._tracer.close()
            self._tracer = None

    def end(self) -> None:
        """Abort a sink that has not ended, let the source close, export, and hang up.

        :raises AdapterFailedError: when one cannot end; the rest is done all the same.
        """
        try:
            self.engine.end()
        finally:
            self._end_behind_the_sink()

    def _end_behind_the_sink(self) -> None:
        try:
            if self._reader is not None:
                self._reader.end(_CLOSE_SECONDS)
        finally:
            try:
                self.flush()
            finally:
                if self.reported:  # the stop came another way, and may have overtaken it
                    self.credit.settle(_CREDIT_SECONDS)
                self.data_plane.shutdown()
