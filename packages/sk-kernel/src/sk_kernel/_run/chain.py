"""Compiling a linear unit into one loop over a batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from operator import length_hint
from types import CodeType
from typing import Any

from sk_kernel._batch.batch import Batch, Rows
from sk_kernel._calls.calls import NodeCall
from sk_kernel._graph.graph import Edge
from sk_kernel._record.envelope import Key, root_of
from sk_kernel._run.key_guard import KeyGuard
from sk_kernel.errors import NodeFailedError, NodeOutputError, RunError

#: Passes the items of some rows, from the iterator over a list of them that ends before this row,
#: through all nodes in turn, record by record, appending the last one's returns; gives the rows of
#: the records that a node has given up.
Chain = Callable[[Batch, Rows, Iterator[Any], int, list[Any]], list[int]]


def compile_chain(
    calls: Sequence[NodeCall], onward: Mapping[str, Edge], guard: KeyGuard | None
) -> Chain:
    """One loop for the nodes ``calls``, which are one straight line: see :func:`is_straight`.

    :param onward: the edge that leads on from each of them but the last, by its name.
    :param guard: looks at what goes over those; none where one worker runs the nodes.
    """
    passed, call_of = _compiled(calls, onward, guard)

    def chain(
        batch: Batch, rows: Rows, rest: Iterator[Any], end: int, outputs: list[Any]
    ) -> list[int]:
        keys = rows.keys
        lost: list[int] = []
        while True:
            try:
                passed(rest, outputs.append)
            except BaseException as error:
                if not batch.is_record_failure(error):
                    raise
                # The place in the iterator tells the record, the line of the loop the node.
                row = max(end - length_hint(rest) - 1, 0)
                line, payload = _stopped_at(passed.__code__, error)
                call = call_of[line]
                if isinstance(error, NotPassedError):
                    batch.blame(error.refusal(call, keys[row]))
                elif call.give_up(batch, keys[row], payload, error) is None:
                    at = root_of(keys[row])
                    failed = NodeFailedError(call.name, type(error).__name__, at)
                    raise failed.about(keys[row]) from error
                lost.append(row)
            else:
                return lost

    return chain


class NotPassedError(Exception, ABC):
    """What a node in the middle of a chain returned does not go on to the next one."""

    @abstractmethod
    def refusal(self, call: NodeCall, key: Key) -> RunError:
        """The error of the record ``key``, for which the node of ``call`` returned that."""


class DetourError(NotPassedError):
    """It is something else than the node declares."""

    def __init__(self, output: object) -> None:
        self._got = type(output).__qualname__
        super().__init__(self._got)

    def refusal(self, call: NodeCall, key: Key) -> RunError:
        """See the base."""
        declared = str(call.spec.emits)
        return NodeOutputError(call.name, self._got, declared, root_of(key)).about(key)


class StrayError(NotPassedError):
    """It is another worker's."""

    def __init__(self, guard: KeyGuard, edge: Edge) -> None:
        self._guard, self._edge = guard, edge
        super().__init__(edge.producer)

    def refusal(self, call: NodeCall, key: Key) -> RunError:
        """See the base."""
        return self._guard.moved(self._edge, key)


def looks_between(
    number: int, edge: Edge, guard: KeyGuard | None, scope: dict[str, Any]
) -> list[str]:
    """The lines that look at a payload ``x`` on its way over an edge.

    :param number: of the edge in the chain; its names in the scope have it.
    :param scope: gets what the lines need.
    """
    scope |= {f"type{number}": edge.payload.cls, "Detour": DetourError}
    lines = [f"if type(x) is not type{number}: raise Detour(x)"]
    if guard is not None and guard.guards(edge):
        scope |= {f"Stray{number}": partial(StrayError, guard, edge), "strays": guard.strays}
        lines.append(f"if strays(x): raise Stray{number}()")
    return lines


def _compiled(
    calls: Sequence[NodeCall], onward: Mapping[str, Edge], guard: KeyGuard | None
) -> tuple[Any, Mapping[int, NodeCall]]:
    """The loop, and the node that each of its lines is of."""
    lines = ["def passed(rest, append):", "    for x in rest:"]
    scope: dict[str, Any] = {}
    call_of: dict[int, NodeCall] = {}
    for i, call in enumerate(calls):
        scope[f"node{i}"] = call.call
        own = [f"x = node{i}(x)"]
        if call is calls[-1]:
            own.append("append(x)")
        else:
            own += looks_between(i, onward[call.name], guard, scope)
        for line in own:
            lines.append(f"        {line}")
            call_of[len(lines)] = call
    exec("\n".join(lines), scope)  # noqa: S102 - the text above; only numbers are filled in
    return scope["passed"], call_of


def is_straight(
    calls: Sequence[NodeCall], inner: Mapping[tuple[str, type], tuple[Edge, ...]]
) -> bool:
    """Whether some nodes are one straight line, given the edges between them.

    That is: plain functions of the payload; all but the last give exactly one payload, of one type,
    to the next one only.
    """
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
