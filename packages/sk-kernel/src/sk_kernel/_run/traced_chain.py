"""A linear unit for sampled records: one call for each record, with the times of every node."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sk_kernel._batch.batch import Batch, Rows
from sk_kernel._calls.calls import NodeCall
from sk_kernel._graph.graph import Edge
from sk_kernel._guard.ends import ENDS
from sk_kernel._record.envelope import Key, root_of
from sk_kernel._run.chain import NotPassedError, looks_between
from sk_kernel._run.key_guard import KeyGuard
from sk_kernel.errors import NodeFailedError

#: For each record in turn, and for each node in it, the begin and end in nanoseconds since the
#: epoch. A record that failed has stamps only for the nodes that it reached.
Stamps = list[int]
#: Passes a payload through all nodes; arguments: payload, function to note a stamp, clock.
_Passed = Callable[[Any, Callable[[int], None], Callable[[], int]], Any]


class TracedChain:
    """Nodes in a straight line, none of which may give a record up.

    :param onward: the edge from each node except the last to the next one, by the node's name.
    :param guard: checks the records on these edges; None if one worker runs the nodes.
    """

    def __init__(
        self, calls: Sequence[NodeCall], onward: Mapping[str, Edge], guard: KeyGuard | None
    ) -> None:
        self._calls = calls
        self._edges = [onward[call.name] for call in calls[:-1]]
        self._passed = _compiled(calls, self._edges, guard)
        self._failed: str | None = None

    def one(self, key: Key, item: Any, stamps: Stamps) -> Any:
        """Return the last node's output for a record; append two stamps for each node.

        :raises NodeFailedError: when a node raised on it.
        :raises NodeOutputError, MovedKeyError: when a node returned a payload that it does not
            declare, or whose key another worker owns.
        """
        before = len(stamps)
        try:
            return self._passed(item, stamps.append, time.time_ns)
        except BaseException as error:
            passed, within = divmod(len(stamps) - before, 2)
            if within:
                stamps.append(time.time_ns())
                self._failed = type(error).__name__
            if isinstance(error, ENDS):
                raise  # sys.exit(), which ends the process
            if isinstance(error, NotPassedError):
                raise error.refusal(self._calls[passed - 1], key) from None
            name = self._calls[passed].name
            failed = NodeFailedError(name, type(error).__name__, root_of(key))
            raise failed.about(key) from error

    def tell(self, batch: Batch, rows: Rows, traced: Sequence[int], stamps: Stamps) -> None:
        """Report the sampled rows in ``traced`` to the tracer, as far as there are stamps."""
        tracer, (failed, self._failed) = self._calls[0].tracer, (self._failed, None)
        if tracer is None or not stamps:
            return
        width = 2 * len(self._calls)
        whole = (len(stamps) - (failed is not None)) // width
        last = whole * width
        keys = tracer.rows.keys(rows.keys, batch.sampled)
        tracer.ran_on(batch, rows, stamps[0:last:width], stamps[1:last:width])
        for i, edge in enumerate(self._edges, 1):
            starts, ends = stamps[2 * i : last : width], stamps[2 * i + 1 : last : width]
            tracer.ran_along(batch, edge, keys, starts, ends)
        for i in range((len(stamps) - last) // 2):
            row, place = traced[whole], last + 2 * i
            edge = self._edges[i - 1] if i else rows.edge(row)
            times = stamps[place], stamps[place + 1]
            ended = failed if place + 2 == len(stamps) else None
            tracer.ran(batch, edge, rows.keys[row], times, ended)


def _compiled(calls: Sequence[NodeCall], edges: Sequence[Edge], guard: KeyGuard | None) -> _Passed:
    lines = ["def passed(x, note, clock):"]
    scope: dict[str, Any] = {}
    for i, call in enumerate(calls):
        scope[f"node{i}"] = call.call
        lines += ["    note(clock())", f"    x = node{i}(x)", "    note(clock())"]
        if call is not calls[-1]:
            lines += [f"    {line}" for line in looks_between(i, edges[i], guard, scope)]
    lines.append("    return x")
    exec("\n".join(lines), scope)  # noqa: S102 - the text above; only numbers are filled in
    passed: _Passed = scope["passed"]
    return passed
