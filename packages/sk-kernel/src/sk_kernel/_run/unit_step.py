"""The step of a state unit: each record passes all of its nodes before the next one enters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sk_kernel._batch.batch import Column, merged
from sk_kernel._batch.flow import Flow, Outlet
from sk_kernel._calls.calls import NodeCall
from sk_kernel._calls.dropped import Dropped
from sk_kernel._graph.graph import Edge
from sk_kernel._record.envelope import Key
from sk_kernel._run.key_guard import KeyGuard
from sk_kernel._run.node_line import line_of_nodes
from sk_kernel._run.steps import Finish

#: The keys and outputs that leave a unit, by the node that returned them.
_Outputs = dict[str, tuple[list[Key], list[Any]]]


class _Row(NamedTuple):
    key: Key
    edge: Edge
    item: Any


class UnitStep:
    """Nodes that share state.

    Nodes in a straight line, each of which emits exactly one payload to the next, run as a
    :class:`NodeLine`. Any other unit is walked depth first, record by record.

    :param calls: its nodes, in graph order.
    :param inner: the edges within it, by producer and class of payload.
    :param outlets: what each of its nodes may emit, and the routes of that.
    :param finishes: the ``finish()`` of each of its nodes that has one.
    :param guard: checks the records on inner edges; None if one worker runs the nodes.
    """

    def __init__(
        self,
        calls: dict[str, NodeCall],
        inner: Mapping[tuple[str, type], tuple[Edge, ...]],
        outlets: dict[str, Outlet],
        finishes: Sequence[Finish],
        guard: KeyGuard | None,
    ) -> None:
        self._calls, self._outlets, self._guard = calls, outlets, guard
        self._finishes = sorted(finishes, key=lambda finish: finish.rank)
        self._names = tuple(calls)
        self._fed: dict[str, tuple[str, ...]] = dict.fromkeys(self._names, ())
        for (producer, _), edges in inner.items():
            fed = (*self._fed[producer], *(e.consumer for e in edges))
            self._fed[producer] = tuple(dict.fromkeys(fed))
        self._line = line_of_nodes(calls, inner, outlets, guard)

    def run(self, flow: Flow) -> None:
        """Pass every waiting record through the unit, in key order, and emit what leaves it."""
        waiting = {name: columns for name in self._names if (columns := flow.take(name))}
        first, batch = self._names[0], flow.batch
        if self._line and waiting.keys() == {first} and not batch.final:
            rows = merged(waiting[first])
            if batch.failures_are_independent(rows.keys):
                self._line.run(flow, rows)
                return
        if waiting or batch.final:
            self._walk_all(flow, _rows(waiting.values()))

    def _walk_all(self, flow: Flow, rows: list[_Row]) -> None:
        """Take each row through all nodes before the next one; at the end of input, finish."""
        leaving: _Outputs = {name: ([], []) for name in self._names}
        done = 0
        for finish in self._finishes if flow.batch.final else ():
            # Rows that outside nodes of lower rank emitted when they finished come first.
            end = finish.key(flow)
            while done < len(rows) and rows[done].key < end:  # type: ignore[operator]
                self._walk(flow, leaving, rows[done])
                done += 1
            finish.run(flow)
            self._walk_fed(flow, leaving, finish.call.name)
        for row in rows[done:]:
            self._walk(flow, leaving, row)
        for name, (keys, outputs) in leaving.items():
            if keys:
                flow.emit(self._outlets[name], keys, outputs)

    def _walk(self, flow: Flow, leaving: _Outputs, row: _Row) -> None:
        """Run a row's node on it, and then, depth first, the nodes that its output goes to."""
        name = row.edge.consumer
        output = self._calls[name].call_one(flow.batch, row.key, row.item, row.edge)
        if type(output) is Dropped:
            return
        if self._fed[name]:
            flow.emit(self._outlets[name], [row.key], [output])
            self._walk_fed(flow, leaving, name)
        else:
            leaving[name][0].append(row.key)
            leaving[name][1].append(output)

    def _walk_fed(self, flow: Flow, leaving: _Outputs, name: str) -> None:
        """Walk, in key order, the rows for the nodes of the unit that the node ``name`` feeds."""
        if self._guard is not None:
            self._guard.look(flow, self._fed[name])
        for row in _rows([flow.take(consumer) for consumer in self._fed[name]]):
            self._walk(flow, leaving, row)


def _rows(waiting: Iterable[Iterable[Column]]) -> list[_Row]:
    rows = [
        _Row(key, column.edge, item)
        for columns in waiting
        for column in columns
        for key, item in zip(column.keys, column.items, strict=True)
    ]
    rows.sort(key=lambda row: row.key)
    return rows
