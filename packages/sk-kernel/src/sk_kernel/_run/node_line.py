"""Nodes that share state in a straight line: run as one loop over a batch, compiled once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sk_kernel._batch.batch import Batch, Rows
from sk_kernel._batch.flow import Flow, Outlet
from sk_kernel._calls.calls import NodeCall
from sk_kernel._calls.dropped import NOT_CALLED, Dropped
from sk_kernel._graph.graph import Edge
from sk_kernel._record.envelope import Key
from sk_kernel._run.chain import compile_chain, is_straight
from sk_kernel._run.key_guard import KeyGuard
from sk_kernel._run.traced_chain import TracedChain


def line_of_nodes(
    calls: Mapping[str, NodeCall],
    inner: Mapping[tuple[str, type], tuple[Edge, ...]],
    outlets: Mapping[str, Outlet],
    guard: KeyGuard | None,
) -> NodeLine | None:
    """Return the line that a unit's nodes form; None if they form none: see :func:`is_straight`.

    :param inner: the edges within the unit, by producer and class of payload.
    :param outlets: what each node may emit, and the routes of that.
    :param guard: checks the records on inner edges; None if one worker runs the nodes.
    """
    if not is_straight(list(calls.values()), inner):
        return None
    # Each node but the last has one edge, to the next one.
    onward = {producer: edges[0] for (producer, _), edges in inner.items()}
    return NodeLine(calls, onward, outlets, guard)


class NodeLine:
    """A compiled chain of nodes; sampled records pass outside of its loop, for their spans."""

    def __init__(
        self,
        calls: Mapping[str, NodeCall],
        onward: Mapping[str, Edge],
        outlets: Mapping[str, Outlet],
        guard: KeyGuard | None,
    ) -> None:
        self._calls, self._onward, self._outlets = calls, onward, outlets
        self._guard = guard
        several = list(calls.values())
        self._chain = compile_chain(several, onward, guard)
        self._tracer = several[0].tracer
        self._last = outlets[several[-1].name]
        forgives = any(call.forgives for call in several)
        self._traced_chain = None if forgives else TracedChain(several, onward, guard)

    def run(self, flow: Flow, rows: Rows) -> None:
        """Pass the records that wait for the first node through all nodes, and emit the outputs.

        :raises NodeFailedError, NodeOutputError, MovedKeyError, UnknownTargetError: when a node
            failed.
        """
        batch, keys = flow.batch, rows.keys
        outputs: list[Any] = []
        traced = self._tracer.rows(keys, batch.sampled) if self._tracer else ()
        lost: list[int] = []
        if traced and self._traced_chain:
            self._run_traced(self._traced_chain, batch, rows, traced, outputs)
        else:
            lost = self._run_forgiving(batch, rows, traced, outputs)
        if lost:
            gone = set(lost)
            keys = [key for i, key in enumerate(keys) if i not in gone]
        flow.emit(self._last, keys, outputs)

    def _run_traced(
        self,
        traced_chain: TracedChain,
        batch: Batch,
        rows: Rows,
        traced: Sequence[int],
        outputs: list[Any],
    ) -> None:
        """Append the last node's output for each row; rows in ``traced`` are sampled."""
        stamps: list[int] = []
        keys, items, done = rows.keys, rows.items, 0
        try:
            for i in traced:
                self._chain(batch, rows, iter(items[done:i]), i, outputs)
                outputs.append(traced_chain.one(keys[i], items[i], stamps))
                done = i + 1
            self._chain(batch, rows, iter(items[done:]), len(keys), outputs)
        finally:
            traced_chain.tell(batch, rows, traced, stamps)

    def _run_forgiving(
        self, batch: Batch, rows: Rows, traced: Sequence[int], outputs: list[Any]
    ) -> list[int]:
        """Append the last node's outputs, and return the rows of the records that have none.

        Used when nodes may give up records, and for a batch without a sampled row.
        """
        lost: list[int] = []
        items, done = rows.items, 0
        for i in traced:
            lost += self._chain(batch, rows, iter(items[done:i]), i, outputs)
            output = self._output_of(batch, rows.keys[i], rows.edge(i), items[i])
            if type(output) is Dropped:
                lost.append(i)
            else:
                outputs.append(output)
            done = i + 1
        some = items[done:] if done else items
        return lost + self._chain(batch, rows, iter(some), len(rows.keys), outputs)

    def _output_of(self, batch: Batch, key: Key, edge: Edge, output: Any) -> Any:
        """Run one record node by node; return the last node's output, or that it was dropped."""
        for name, call in self._calls.items():
            output = call.call_one(batch, key, output, edge)
            if type(output) is Dropped or name not in self._onward:
                return output
            edge = self._onward[name]
            if type(output) is not edge.payload.cls:
                batch.blame(self._outlets[name].refuse(output, key))
                return NOT_CALLED
            if self._guard and self._guard.guards(edge) and self._guard.strays(output):
                batch.blame(self._guard.moved(edge, key))
                return NOT_CALLED
        return output
