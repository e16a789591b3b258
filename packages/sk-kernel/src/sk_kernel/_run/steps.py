"""Steps: one for each unit of a segment, run once a batch."""

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
    """What a segment does with a batch for one unit."""

    def run(self, flow: Flow) -> None:
        """Take what waits for the unit's vertices, and emit what they make of it."""


class Finish(NamedTuple):
    """A node's ``finish()``: at the end of input, nodes finish in the order of their ``rank``."""

    call: NodeCall
    outlet: Outlet
    rank: int

    def key(self, flow: Flow) -> Key:
        """Behind every record, and behind all that nodes of lower rank gave at their end."""
        return (flow.batch.last + 1, self.rank)

    def run(self, flow: Flow) -> None:
        """Finish, and emit."""
        flow.emit(self.outlet, [self.key(flow)], [self.call.finish()])


class NodeStep:
    """A node that shares its state with none: mapped over the batch."""

    def __init__(self, call: NodeCall, outlet: Outlet, finish: Finish | None) -> None:
        self._call, self._outlet, self._finish = call, outlet, finish

    def run(self, flow: Flow) -> None:
        """Map, emit; at the end of input, finish."""
        columns = flow.take(self._call.name)
        if columns:
            rows = merged(columns)
            flow.emit(self._outlet, *self._call.call_kept(flow.batch, rows))
        if flow.batch.final and self._finish:
            self._finish.run(flow)

    async def go(self, flow: Flow) -> None:
        """The same for requests, while others are under way in the coroutines of the node."""
        if not isinstance(self._call, AskedCall) or not self._call.spec.is_async:
            self.run(flow)
        elif columns := flow.take(self._call.name):
            flow.emit(self._outlet, *await self._call.awaited(flow.batch, merged(columns)))


class Finished:
    """In the place of nodes that have finished: a request that comes to them has failed."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def run(self, flow: Flow) -> None:
        """Refuse whatever waits for them.

        :raises NodeFailedError: where something does.
        """
        for name in self._names:
            for column in flow.take(name):
                for key in column.keys:
                    closed = NodeFailedError(name, RequestsClosedError.__name__)
                    flow.batch.blame(closed.about(key))


class SinkStep:
    """The sink: everything that arrives, in key order, in one write."""

    def __init__(self, write: Writer, tracer: Tracer | None) -> None:
        self._write, self._tracer = write, tracer

    def run(self, flow: Flow) -> None:
        """Write the batch; the list is the sink's to keep."""
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
