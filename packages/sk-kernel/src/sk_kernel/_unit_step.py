"""The step of a state unit: each record passes all of its nodes before the next one enters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sk_kernel._batch import Batch, Column, Rows, merged
from sk_kernel._calls import NodeCall
from sk_kernel._chain import Chain, compile_chain
from sk_kernel._envelope import Key
from sk_kernel._flow import Flow, Outlet
from sk_kernel._graph import Edge
from sk_kernel._guarded import LOST
from sk_kernel._noted import NotedChain
from sk_kernel._steps import Finish

#: What leaves a unit, by the node that made it: keys and outputs.
Leaving = dict[str, tuple[list[Key], list[Any]]]


class _Row(NamedTuple):
    key: Key
    edge: Edge
    item: Any


class UnitStep:
    """Nodes that share state.

    A linear unit whose nodes give exactly one payload each is compiled into one loop, which a
    record that is traced passes call by call; any other unit is walked depth first.
    """

    def __init__(
        self,
        calls: dict[str, NodeCall],
        inner: Mapping[tuple[str, type], tuple[Edge, ...]],
        outlets: dict[str, Outlet],
        finishes: Sequence[Finish],
    ) -> None:
        self._calls, self._outlets = calls, outlets
        self._finishes = sorted(finishes, key=lambda finish: finish.rank)
        self._names = tuple(calls)
        self._fed: dict[str, tuple[str, ...]] = dict.fromkeys(self._names, ())
        for (producer, _), edges in inner.items():
            fed = (*self._fed[producer], *(e.consumer for e in edges))
            self._fed[producer] = tuple(dict.fromkeys(fed))
        self._chain = compile_chain(list(calls.values()), inner)
        # Of a chain, whose nodes have one edge each to the next.
        self._onward = {producer: edges[0] for (producer, _), edges in inner.items()}
        forgives = any(call.forgives for call in calls.values())
        straight = self._chain and not forgives
        self._noted = NotedChain(list(calls.values()), self._onward) if straight else None

    def run(self, flow: Flow) -> None:
        """Pass every waiting record through the unit, in key order, and emit what leaves it."""
        waiting = {name: columns for name in self._names if (columns := flow.take(name))}
        first, batch = self._names[0], flow.batch
        if self._chain and waiting.keys() == {first} and not batch.final:
            rows = merged(waiting[first])
            if batch.are_apart(rows.keys):
                self._run_chain(self._chain, flow, rows)
                return
        if waiting or batch.final:
            self._walk_all(flow, _rows(waiting.values()))

    def _run_chain(self, chain: Chain, flow: Flow, rows: Rows) -> None:
        batch, keys = flow.batch, rows.keys
        outputs: list[Any] = []
        tracer = self._calls[self._names[0]].tracer
        traced = tracer.rows(keys, batch.sampled) if tracer else ()
        lost: list[int] = []
        if traced and self._noted:
            self._run_noted(chain, self._noted, batch, rows, traced, outputs)
        else:
            lost = self._run_watched(chain, batch, rows, traced, outputs)
        if lost:
            gone = set(lost)
            keys = [key for i, key in enumerate(keys) if i not in gone]
        flow.emit(self._outlets[self._names[-1]], keys, outputs)

    def _run_noted(
        self,
        chain: Chain,
        noted: NotedChain,
        batch: Batch,
        rows: Rows,
        traced: Sequence[int],
        outputs: list[Any],
    ) -> None:
        stamps: list[int] = []
        keys, items, done = rows.keys, rows.items, 0
        try:
            for i in traced:
                chain(batch, rows, iter(items[done:i]), i, outputs)
                outputs.append(noted.one(keys[i], items[i], stamps))
                done = i + 1
            chain(batch, rows, iter(items[done:]), len(keys), outputs)
        finally:
            noted.tell(batch, rows, traced, stamps)

    def _run_watched(
        self,
        chain: Chain,
        batch: Batch,
        rows: Rows,
        traced: Sequence[int],
        outputs: list[Any],
    ) -> list[int]:
        """:meth:`_run_noted` where a record may be given up; gives the rows of those."""
        lost: list[int] = []
        items, done = rows.items, 0
        for i in traced:
            lost += chain(batch, rows, iter(items[done:i]), i, outputs)
            output = self._watched(batch, rows.keys[i], rows.edge(i), items[i])
            if output is LOST:
                lost.append(i)
            else:
                outputs.append(output)
            done = i + 1
        some = items[done:] if done else items
        return lost + chain(batch, rows, iter(some), len(rows.keys), outputs)

    def _watched(self, batch: Batch, key: Key, edge: Edge, output: Any) -> Any:
        """What the last node of a chain gives for a record that is traced."""
        for name, call in self._calls.items():
            output = call.one(batch, key, output, edge)
            if output is LOST or name not in self._onward:
                return output
            edge = self._onward[name]
            if type(output) is not edge.payload.cls:
                batch.blame(self._outlets[name].refuse(output, key))
                return LOST
        return output

    def _walk_all(self, flow: Flow, rows: list[_Row]) -> None:
        leaving: Leaving = {name: ([], []) for name in self._names}
        done = 0
        for finish in self._finishes if flow.batch.final else ():
            # What a finish() of lower rank, outside of the unit, gave comes before this one.
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

    def _walk(self, flow: Flow, leaving: Leaving, row: _Row) -> None:
        name = row.edge.consumer
        output = self._calls[name].one(flow.batch, row.key, row.item, row.edge)
        if output is LOST:
            return
        if self._fed[name]:
            flow.emit(self._outlets[name], [row.key], [output])
            self._walk_fed(flow, leaving, name)
        else:
            leaving[name][0].append(row.key)
            leaving[name][1].append(output)

    def _walk_fed(self, flow: Flow, leaving: Leaving, name: str) -> None:
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
