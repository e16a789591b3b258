"""Which of several runs is looked at, where their spans are in the same files. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sk_supervisor._pages.trace_span import Span


class RunSpan(NamedTuple):
    """A span; ``begins`` says that its run is newer than that of the spans before it."""

    span: Span
    begins: bool = False


class NewestRun:
    """Lets the spans of the newest run pass, of those whose id is, or begins with, ``wanted``.

    A run is newer than another one if the first of its spans in the files began later: so each is
    judged once, and all of its spans are let pass or none. Spans without a run, as they were
    written before runs were named, are those of one.
    """

    def __init__(self, wanted: str = "") -> None:
        self._wanted = wanted
        self._begins: dict[str, int] = {}
        #: The run, once there is a span; empty where its spans name none.
        self.run_id = ""

    @property
    def others(self) -> list[str]:
        """The other runs, the newest first."""
        found = sorted(self._begins, key=self._begins.__getitem__, reverse=True)
        return [run_id for run_id in found if run_id != self.run_id]

    def of(self, spans: Iterable[Span]) -> Iterator[RunSpan]:
        """The spans of the newest run so far: what came before one that begins does not count."""
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
