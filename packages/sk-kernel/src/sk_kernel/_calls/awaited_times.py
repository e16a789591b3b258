"""The times at which the coroutines of sampled records began and ended, for their spans."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

from sk_kernel._batch.batch import Batch, Rows
from sk_kernel._calls.dropped import drop_cause
from sk_kernel._trace.observe import Tracer

_Start = Callable[[int], Coroutine[Any, Any, Any]]


class _Ended(NamedTuple):
    start_ns: int
    end_ns: int
    cause: str | None


class AwaitedTimes:
    """Has each coroutine read the clock itself, so that they overlap like those without a span.

    :param traced: the rows of the sampled records, in ascending order.
    """

    def __init__(self, traced: Sequence[int]) -> None:
        self._traced = frozenset(traced)
        self._ended: dict[int, _Ended] = {}

    def of(self, start: _Start) -> _Start:
        """Return a function that starts coroutines like ``start``, and times the sampled ones."""

        async def timed(row: int) -> Any:
            began, cause = time.time_ns(), None
            try:
                output = await start(row)
                cause = drop_cause(output)
                return output
            except BaseException as error:
                cause = type(error).__name__
                raise
            finally:
                self._ended[row] = _Ended(began, time.time_ns(), cause)

        return lambda row: timed(row) if row in self._traced else start(row)

    def tell(self, tracer: Tracer, batch: Batch, rows: Rows) -> None:
        """Report all that have ended to the tracer, in the order of their rows."""
        for row, (start, end, cause) in sorted(self._ended.items()):
            tracer.ran(batch, rows.edge(row), rows.keys[row], (start, end), cause)
