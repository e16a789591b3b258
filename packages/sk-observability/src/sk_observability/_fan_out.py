"""Node spans to several exporters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sk_kernel import NodeSpan

from sk_observability._outlet import ExporterCounts, Outlet


class SpanFanOut:
    """A `sk_kernel.NodeObserver` that hands spans to every exporter, each apart from the others.

    Exports in the caller's thread, once a batch: when `on_spans` returns, the spans are written or
    counted as dropped.
    """

    def __init__(self, exporters: Iterable[Outlet[NodeSpan]]) -> None:
        self._outlets = tuple(exporters)

    def on_spans(self, spans: Sequence[NodeSpan]) -> None:
        """Export the spans, in this order. Raises nothing."""
        for outlet in self._outlets:
            outlet.export(spans)

    def close(self) -> None:
        """Have every exporter pass on what it holds, and close it. Raises nothing."""
        for outlet in self._outlets:
            outlet.close()

    def counts(self) -> tuple[ExporterCounts, ...]:
        """What became of the spans, for each exporter in the order given."""
        return tuple(outlet.counts for outlet in self._outlets)
