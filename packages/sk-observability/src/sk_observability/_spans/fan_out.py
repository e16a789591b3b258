"""Passing node spans to several exporters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from sk_kernel import NodeSpan, SpanAccount

from sk_observability._exporting.outlet import ExporterCounts, Outlet
from sk_observability._spans.account import span_account


class SpanFanOut:
    """A `sk_kernel.NodeObserver` that passes spans to every exporter, isolated from each other.

    The exporters are called in the caller's thread, with the spans of many batches at once. When
    `on_spans` returns, the spans are written, counted as dropped, or held by an exporter that sends
    later.
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
        """Have exporters that send later begin to send the spans that they hold. Raises nothing.

        `within_seconds` bounds the time of this and `close`, from now on; see `Outlet.finish`.
        """
        for outlet in self._outlets:
            outlet.finish(within_seconds)

    def close(self) -> None:
        """Have every exporter export the spans that it holds, and close it. Raises nothing.

        Exporters that send later do so in parallel: this takes as long as the slowest, not the sum.
        """
        self.finish()
        for outlet in self._outlets:
            outlet.close()
        self._closed = True

    def counts(self) -> tuple[ExporterCounts, ...]:
        """Return the outcomes of the spans for each exporter, in the order given."""
        return tuple(outlet.counts for outlet in self._outlets)

    def account(self, worker: str) -> SpanAccount:
        """Return the account of this process's spans under the name `worker`. Any thread.

        It is final after `close`. Created spans are counted here, independently of the exporters,
        so that a span that an exporter loses silently is noticed. If an interrupt cut a call of
        `on_spans` short, it is unknown which exporters received its spans, and the account is never
        final, like that of a process stopped in the middle of its work.
        """
        # The exporters' counts are read before `_created`: spans that are exported meanwhile never
        # make the exported number exceed the created one.
        final = self._closed and self._through == self._created
        counts = self.counts()
        return span_account(worker, self._created, counts, final=final)
