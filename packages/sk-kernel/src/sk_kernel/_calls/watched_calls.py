"""Calls of a plain node on a batch with sampled records, which have spans."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from sk_kernel._batch.batch import Batch, Rows
from sk_kernel._calls.stretches import Stretches
from sk_kernel._guard.ends import ENDS
from sk_kernel._record.envelope import root_of
from sk_kernel._trace.observe import Tracer
from sk_kernel.errors import NodeFailedError


class WatchedCalls:
    """Reads the clock before and after the call of each sampled record, and of no other.

    :param traced: the rows of the sampled records, in ascending order.
    """

    def __init__(
        self,
        node: str,
        call: Callable[[Any], Any],
        tracer: Tracer,
        batch: Batch,
        rows: Rows,
        traced: Sequence[int],
    ) -> None:
        self._node, self._call, self._tracer = node, call, tracer
        self._batch, self._rows, self._traced = batch, rows, traced

    def outputs(self) -> list[Any]:
        """Return the node's output for each record, from one loop over all of them.

        :raises NodeFailedError: when the node raised; if that record is sampled, its span has the
            error.
        """
        call, stretches = self._call, Stretches(self._rows.items, self._traced)
        try:
            out = [call(x) for some in stretches for x in some]
        except BaseException as error:
            starts, ends = stretches.stamps[::2], stretches.stamps[1::2]
            failure = self._failed(stretches.row, starts, ends, error)
            if isinstance(error, ENDS):
                raise
            raise failure from error
        self._note(stretches.stamps[::2], stretches.stamps[1::2])
        return out

    def _note(self, starts: Sequence[int], ends: Sequence[int]) -> None:
        self._tracer.ran_on(self._batch, self._rows, starts, ends)

    def _failed(
        self, row: int, starts: Sequence[int], ends: Sequence[int], error: BaseException
    ) -> NodeFailedError:
        """Note the spans up to this row, which the node raised on; return its failure."""
        key, end = self._rows.keys[row], time.time_ns()
        failure = NodeFailedError(self._node, type(error).__name__, root_of(key)).about(key)
        self._note(starts[: len(ends)], ends)
        if len(starts) > len(ends):
            times = starts[-1], end
            edge = self._rows.edge(row)
            self._tracer.ran(self._batch, edge, key, times, failure.cause_type)
        return failure
