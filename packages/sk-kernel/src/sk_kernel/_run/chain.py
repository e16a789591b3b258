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

#: Passes each item of an iterator over a list through all nodes in turn, and appends the last
#: node's outputs to a list; the number is the row after the iterator's last. Returns the rows of
#: the records that were given up or whose request has failed.
Chain = Callable[[Batch, Rows, Iterator[Any], int, list[Any]], list[int]]


def compile_chain(
    calls: Sequence[NodeCall], onward: Mapping[str, Edge], guard: KeyGuard | None
) -> Chain:
    """Compile the nodes ``calls``, a straight line (:func:`is_straight`), into one loop.

    :param onward: the edge from each node except the last to the next one, by the node's name.
    :param guard: checks the records on these edges; None if one worker runs the nodes.
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
                # The position in the iterator shows the record, the line in the loop the node.
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
    """The output of a node within a chain that must not be passed to the next node."""

    @abstractmethod
    def refusal(self, call: NodeCall, key: Key) -> RunError:
        """Return the error for the record ``key``, for which the node of ``call`` returned it."""


class DetourError(NotPassedError):
    """The output is not of the type that the node declares."""

    def __init__(self, output: object) -> None:
        self._got = type(output).__qualname__
        super().__init__(self._got)

    def refusal(self, call: NodeCall, key: Key) -> RunError:
        """Return a NodeOutputError."""
        declared = str(call.spec.emits)
        return NodeOutputError(call.name, self._got, declared, root_of(key)).about(key)


class StrayError(NotPassedError):
    """The output has a key that another worker owns."""

    def __init__(self, guard: KeyGuard, edge: Edge) -> None:
        self._guard, self._edge = guard, edge
        super().__init__(edge.producer)

    def refusal(self, call: NodeCall, key: Key) -> RunError:
        """Return a MovedKeyError."""
        return self._guard.moved(self._edge, key)


def looks_between(
    number: int, edge: Edge, guard: KeyGuard | None, scope: dict[str, Any]
) -> list[str]:
    """Return the lines of code that check a payload ``x`` on an edge.

    :param number: the index of the edge in the chain; names in ``scope`` contain it.
    :param scope: receives the names that the lines use.
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
    """Return the loop, and the node that each of its lines belongs to."""
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
    """Return whether nodes are one straight line, given the edges between them.

    They are plain functions of the payload, and each except the last emits exactly one payload, of
    one type, to the next one only.
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
    """Return the line at which the loop stopped, and the input of the node in it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    assert trace is not None  # noqa: S101 - the exception passed through the loop
    return trace.tb_lineno, trace.tb_frame.f_locals["x"]
