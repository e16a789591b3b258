"""Compiling a linear unit into one loop over a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from operator import length_hint
from types import CodeType
from typing import Any

from sk_kernel._batch.batch import Batch, Rows
from sk_kernel._calls.calls import NodeCall
from sk_kernel._graph.graph import Edge
from sk_kernel._record.envelope import root_of
from sk_kernel.errors import NodeFailedError, NodeOutputError

#: Passes the items of some rows, from the iterator over a list of them that ends before this row,
#: through all nodes in turn, record by record, appending the last one's returns; gives the rows of
#: the records that a node has given up.
Chain = Callable[[Batch, Rows, Iterator[Any], int, list[Any]], list[int]]

#: Each node has as many lines in the compiled loop, behind the first two.
_LINES = 2


def compile_chain(
    calls: Sequence[NodeCall], inner: Mapping[tuple[str, type], tuple[Edge, ...]]
) -> Chain | None:
    """One loop for the nodes ``calls``, or None when they are not one straight line.

    Straight is: plain functions of the payload; all but the last give exactly one payload, of one
    type, to the next one only.
    """
    if not _straight(calls, inner):
        return None
    passed = _compiled(calls)

    def chain(
        batch: Batch, rows: Rows, rest: Iterator[Any], end: int, outputs: list[Any]
    ) -> list[int]:
        keys = rows.keys
        lost: list[int] = []
        while True:
            try:
                passed(rest, outputs.append)
            except BaseException as error:
                if not batch.bears(error):
                    raise
                # The place in the iterator tells the record, the line of the loop the node.
                row = max(end - length_hint(rest) - 1, 0)
                line, payload = _stopped_at(passed.__code__, error)
                call = calls[(line - 3) // _LINES]
                if isinstance(error, DetourError):
                    declared = str(call.spec.emits)
                    at = root_of(keys[row])
                    refused = NodeOutputError(call.name, error.got, declared, at)
                    batch.blame(refused.about(keys[row]))
                elif not call.lose(batch, keys[row], payload, error):
                    at = root_of(keys[row])
                    failed = NodeFailedError(call.name, type(error).__name__, at)
                    raise failed.about(keys[row]) from error
                lost.append(row)
            else:
                return lost

    return chain


class DetourError(Exception):
    """A node in the middle of a chain returned something else than it declares."""

    def __init__(self, output: object) -> None:
        self.got = type(output).__qualname__
        super().__init__(self.got)


def _compiled(calls: Sequence[NodeCall]) -> Any:
    lines = ["def passed(rest, append):", "    for x in rest:"]
    scope: dict[str, Any] = {"Detour": DetourError}
    for i, call in enumerate(calls):
        scope[f"node{i}"] = call.call
        lines.append(f"        x = node{i}(x)")
        if call is calls[-1]:
            lines.append("        append(x)")
        else:
            scope[f"type{i}"] = call.spec.emits.types[0].cls
            lines.append(f"        if type(x) is not type{i}: raise Detour(x)")
    exec("\n".join(lines), scope)  # noqa: S102 - the text above; only numbers are filled in
    return scope["passed"]


def _straight(
    calls: Sequence[NodeCall], inner: Mapping[tuple[str, type], tuple[Edge, ...]]
) -> bool:
    for call, following in pairwise(calls):
        emits = call.spec.emits
        if len(emits.types) != 1 or emits.optional or emits.many or emits.enveloped:
            return False
        edges = inner.get((call.name, emits.types[0].cls), ())
        if [(e.consumer, e.fanout) for e in edges] != [(following.name, 1)]:
            return False
    return all(call.plain for call in calls)


def _stopped_at(code: CodeType, error: BaseException) -> tuple[int, Any]:
    """The line of the loop, and what the node in it was given."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    assert trace is not None  # noqa: S101 - the loop called whatever raised
    return trace.tb_lineno, trace.tb_frame.f_locals["x"]
