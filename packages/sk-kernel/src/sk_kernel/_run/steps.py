"""Steps: one for each unit of a segment, run once per batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from sk_kernel._batch.batch import merged
from sk_kernel._batch.flow import Flow, Outlet
from sk_kernel._calls.asked import AskedCall
from sk_kernel._calls.calls import NodeCall
from sk_kernel._graph.graph import SINK
from sk_kernel._record.envelope import Key
from sk_kernel._trace.observe import Tracer
from sk_kernel.errors import NodeFailedError, RequestsClosedError

#: Writes one batch's payloads: the sink's ``encode`` and ``write``.
Writer = Callable[[Sequence[Any]], None]


class Step(Protocol):
    """The processing of one unit of a segment in a batch."""

    def run(self, flow: Flow) -> None:
        """Take what waits for the unit's vertices, and emit their outputs."""


class Finish(NamedTuple):
    """A node's ``finish()``: at the end of input, nodes finish in the order of their ``rank``."""

    call: NodeCall
    outlet: Outlet
    rank: int

    def key(self, flow: Flow) -> Key:
        """Return the output's key: after all records and the outputs of nodes of lower rank."""
        return (flow.batch.last + 1, self.rank)

    def run(self, flow: Flow) -> None:
        """Call ``finish()`` and emit its output."""
        flow.emit(self.outlet, [self.key(flow)], [self.call.finish()])


class NodeStep:
    """A node that shares no state with another: called on every record of the batch."""

    def __init__(self, call: NodeCall, outlet: Outlet, finish: Finish | None) -> None:
        self._call, self._outlet, self._finish = call, outlet, finish

    def run(self, flow: Flow) -> None:
        """Call the node and emit its outputs; at the end of input, finish it."""
        columns = flow.take(self._call.name)
        if columns:
            rows = merged(columns)
            flow.emit(self._outlet, *self._call.call_kept(flow.batch, rows))
        if flow.batch.final and self._finish:
            self._finish.run(flow)

    async def go(self, flow: Flow) -> None:
        """Do the same for requests, while others are in the coroutines of the node."""
        if not isinstance(self._call, AskedCall) or not self._call.spec.is_async:
            self.run(flow)
        elif columns := flow.take(self._call.name):
            flow.emit(self._outlet, *await self._call.awaited(flow.batch, merged(columns)))


class Finished:
    """Replaces nodes that have finished: a request that reaches them fails."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def run(self, flow: Flow) -> None:
        """Reject each record that waits for these nodes.

        :raises NodeFailedError: when there is one.
        """
        for name in self._names:
            for column in flow.take(name):
                for key in column.keys:
                    closed = NodeFailedError(name, RequestsClosedError.__name__)
                    flow.batch.blame(closed.about(key))


class SinkStep:
    """The sink: receives everything that arrives, in key order, in one write."""

    def __init__(self, write: Writer, tracer: Tracer | None) -> None:
        self._write, self._tracer = write, tracer

    def run(self, flow: Flow) -> None:
        """Write the batch; the sink may keep the list."""
        columns = flow.take(SINK)
        if not columns:
            return
        rows = merged(columns)
        start = time.time_ns()
        self._write(list(rows.items))
        if self._tracer is None:
            return
        if traced := self._tracer.rows(rows.keys, flow.batch.sampled):
            starts, ends = [start] * len(traced), [time.time_ns()] * len(traced)
            self._tracer.ran_on(flow.batch, rows, starts, ends)
