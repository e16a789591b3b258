"""Driving a sink: batches written, the run committed or aborted, what it raises given a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sk_kernel._adapters.calls import call_adapter, optional_method
from sk_kernel._graph.graph import SINK, Graph
from sk_kernel._measure.stopwatch import Stopwatch, timed_if
from sk_kernel.errors import KernelError

#: The largest counter of a summary that can be told to another process.
_MOST = (1 << 63) - 1


class SinkDriver:
    """Writes batches to the sink and ends it.

    :param stopwatch: measures the writing; without one nothing is measured.
    """

    def __init__(self, graph: Graph, sink: Any, stopwatch: Stopwatch | None = None) -> None:
        self._sink = sink
        self._call_encode = timed_if(stopwatch, "sink encode", call_adapter)
        self._call_write = timed_if(stopwatch, "sink write", call_adapter)
        self._encode = getattr(sink, "encode", None)
        self._bridge = graph.sink.bridge or SINK
        self.records = 0
        #: Why there is no summary: a sentence with the type of what was raised; else empty.
        self.unsummed = ""

    def open(self) -> None:
        """Open the sink."""
        call_adapter(SINK, "open", optional_method(self._sink, "open"))

    def write(self, payloads: Sequence[Any]) -> None:
        """Write one batch.

        :raises AdapterFailedError: when the sink raised.
        """
        chunk: Any = payloads
        count = len(payloads)
        if self._encode is not None:
            chunk = self._call_encode(self._bridge, "encode", self._encode, payloads)
        self._call_write(SINK, "write", self._sink.write, chunk)
        self.records += count

    def end(self, *, complete: bool) -> None:
        """Commit a complete run, abort any other."""
        action = "commit" if complete else "abort"
        call_adapter(SINK, action, optional_method(self._sink, action))

    def partial_outputs(self) -> tuple[str, ...]:
        """Where unfinished output is."""
        named = optional_method(self._sink, "partial_outputs")
        return call_adapter(SINK, "name its partial output", lambda: tuple(named()))

    def summary(self) -> dict[str, int]:
        """The sink's counters; none, and ``unsummed`` says why, where it fails to give them.

        That changes nothing of a run, which has come to its end.
        """
        try:
            return call_adapter(
                SINK,
                "give its summary",
                lambda: _counters(optional_method(self._sink, "summary")()),
            )
        except (KernelError, SystemExit) as error:
            cause = getattr(error, "cause_type", type(error).__name__)
            self.unsummed = f"{SINK} failed to give its summary: {cause}"
            return {}


def _counters(summary: Any) -> dict[str, int]:
    counters = dict(summary)
    for name, count in counters.items():
        if not isinstance(name, str) or type(count) is not int or not -_MOST <= count <= _MOST:
            raise TypeError("a summary is whole numbers of 64 bits, each with its name")
        name.encode()  # or it can be neither sent nor printed
    return counters
