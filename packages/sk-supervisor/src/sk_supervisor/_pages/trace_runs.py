"""The choice of one run, if the files contain spans of several. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sk_supervisor._pages.trace_span import Span


class RunSpan(NamedTuple):
    """A span; ``begins`` if it is the first span of a run newer than those before it."""

    span: Span
    begins: bool = False


class NewestRun:
    """Filters the spans of the newest run among those whose id is, or begins with, ``wanted``.

    A run is newer than another one if its first span in the files began later. So a run is judged
    only once, when it first appears. Spans without a run id, which earlier versions wrote, count
    as one run.
    """

    def __init__(self, wanted: str = "") -> None:
        self._wanted = wanted
        self._begins: dict[str, int] = {}
        #: The newest run so far; empty before the first span, and for spans without a run id.
        self.run_id = ""

    @property
    def others(self) -> list[str]:
        """The other runs, the newest first."""
        found = sorted(self._begins, key=self._begins.__getitem__, reverse=True)
        return [run_id for run_id in found if run_id != self.run_id]

    def of(self, spans: Iterable[Span]) -> Iterator[RunSpan]:
        """Yield the spans of the newest run so far; one that ``begins`` voids those before it."""
        for span in spans:
            run_id = span.run_id or ""
            if run_id.startswith(self._wanted):
                begins = run_id not in self._begins and self._is_newer(run_id, span.start_ns)
                if run_id == self.run_id:
                    yield RunSpan(span, begins)

    def _is_newer(self, run_id: str, at_ns: int) -> bool:
        newest = self._begins.get(self.run_id, -1)
        self._begins[run_id] = at_ns
        if at_ns <= newest:
            return False
        self.run_id = run_id
        return True
