"""Node spans to several exporters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from sk_kernel import NodeSpan, SpanAccount

from sk_observability._exporting.outlet import ExporterCounts, Outlet
from sk_observability._spans.account import span_account


class SpanFanOut:
    """A `sk_kernel.NodeObserver` that hands spans to every exporter, each apart from the others.

    Exports in the caller's thread, what is made for many batches at once: when `on_spans` returns,
    the spans are written, counted as dropped, or in the hands of an exporter that sends later.
    """

    def __init__(self, exporters: Iterable[Outlet[NodeSpan]]) -> None:
        self._outlets = tuple(exporters)
        self._created, self._through, self._closed = 0, 0, False

    def on_spans(self, spans: Sequence[NodeSpan]) -> None:
        """Export the spans, in this order. Raises nothing."""
        self._created += len(spans)
        for outlet in self._outlets:
            outlet.export(spans)
        self._through += len(spans)

    def finish(self, within_seconds: float = math.inf) -> None:
        """Have exporters that send later begin to send what they hold. Raises nothing.

        `within_seconds` is all that this and `close` may take from now on; see `Outlet.finish`.
        """
        for outlet in self._outlets:
            outlet.finish(within_seconds)

    def close(self) -> None:
        """Have every exporter pass on what it holds, and close it. Raises nothing.

        Those that send later do so side by side: the longest of their times is all that it takes.
        """
        self.finish()
        for outlet in self._outlets:
            outlet.close()
        self._closed = True

    def counts(self) -> tuple[ExporterCounts, ...]:
        """What became of the spans, for each exporter in the order given."""
        return tuple(outlet.counts for outlet in self._outlets)

    def account(self, worker: str) -> SpanAccount:
        """What became of this process's spans, by name of `worker`; final once closed. Any thread.

        Counted here, apart from the exporters: a span that one of them has lost is missed. Where an
        interrupt has cut an `on_spans` short, nobody knows which of them were given its spans: then
        the account stays that of a process that was stopped in mid-work, and is never final.
        """
        # In this order: of what is exported meanwhile, never more is known to have gone out than
        # to be there.
        final = self._closed and self._through == self._created
        counts = self.counts()
        return span_account(worker, self._created, counts, final=final)
