"""Observers for tests: what was told of a run is kept, or is not."""

from __future__ import annotations

from collections.abc import Sequence

from sk_kernel import NodeSpan, SpanKind


class Collected:
    """Keeps every span, and counts how often it was called and closed."""

    def __init__(self) -> None:
        self.spans: list[NodeSpan] = []
        self.calls = self.closed = 0

    def on_spans(self, spans: Sequence[NodeSpan]) -> None:
        self.spans += spans
        self.calls += 1

    def close(self) -> None:
        self.closed += 1

    def of(self, kind: SpanKind) -> list[NodeSpan]:
        """Those of one kind."""
        return [span for span in self.spans if span.kind == kind]


class OfRecords(Collected):
    """Keeps the spans of records, and none of a hop."""

    def on_spans(self, spans: Sequence[NodeSpan]) -> None:
        super().on_spans([span for span in spans if span.kind == "internal"])

    def tree(self, sequence: int) -> dict[str, str | None]:
        """Each span's name -> its parent's, of one record's trace."""
        own = [span for span in self.spans if span.sequence == sequence]
        names = {span.span_id: span.name for span in own}
        return {s.name: names[s.parent_id] if s.parent_id else None for s in own}


class Deaf:
    """Keeps nothing: that there is an observer is all that matters."""

    def on_spans(self, spans: Sequence[NodeSpan]) -> None: ...

    def close(self) -> None: ...
