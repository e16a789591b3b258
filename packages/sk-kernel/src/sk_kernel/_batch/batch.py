"""A batch, and the columns of payloads that it consists of."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, ClassVar, NamedTuple, cast

from msgspec import Struct, field

from sk_kernel._declare.specs import PayloadType
from sk_kernel._graph.graph import Edge
from sk_kernel._guard.ends import ENDS
from sk_kernel._guard.lineage import Lineage, forks
from sk_kernel._record.envelope import NO_CORRELATION, Correlation, Key, root_of
from sk_kernel.errors import RunError


class Section(NamedTuple):
    """Payloads of one type from one producer for another segment, in ascending order of their keys.

    ``target`` is the only consumer, if their envelopes named one; None stands for all consumers.
    """

    producer: str
    payload: PayloadType
    target: str | None
    keys: Sequence[Key]
    items: Sequence[Any]


class Column(NamedTuple):
    """The payloads that came over one edge and wait for a vertex, in ascending key order."""

    edge: Edge
    keys: Sequence[Key]
    items: Sequence[Any]


class Batch(Struct):
    """The records ``first..last`` of the source (none if ``last`` is ``first - 1``).

    ``final`` marks the end of input: nodes are asked to ``finish()``. ``complete`` is true if the
    source had no more records, false if it was interrupted. ``correlations`` has the metadata of
    envelopes, by key; ``sampled`` has the sequence numbers whose spans are recorded.

    In this class a record's failure ends the batch, and so the run. A :class:`RequestBatch` holds
    records of requests, and overrides what follows from that.
    """

    number: int
    first: int
    last: int
    final: bool = False
    complete: bool = True
    correlations: dict[Key, Correlation] = field(default_factory=dict)
    sampled: frozenset[int] = frozenset()
    #: The value of :func:`forks` in the process that made this batch.
    forks: int = field(default_factory=forks)
    #: Exceptions of a node that end the process.
    fatal_exceptions: ClassVar[tuple[type[BaseException], ...]] = ENDS

    def correlation(self, key: Key) -> Correlation:
        """Return the metadata of a record."""
        return self.correlations.get(key, NO_CORRELATION)

    def child(self, key: Key, index: int) -> Key:
        """Return the key of a record made from the record ``key``: ``index`` is appended.

        The new record gets the same metadata.
        """
        child = (*key, index) if isinstance(key, tuple) else (key, index)
        known = self.correlations
        if known and key in known:
            known[child] = known[key]
        return child

    @property
    def blamed(self) -> Iterable[RunError]:
        """The errors that :meth:`blame` took without raising them."""
        return ()

    def is_record_failure(self, error: BaseException) -> bool:
        """Return whether an exception of a node is a record's failure, not the end of the process.

        In a child process that a node has forked, every exception ends that process.
        """
        return not isinstance(error, self.fatal_exceptions) and self.forks == Lineage.forks

    def blame(self, error: RunError) -> None:
        """Take the failure of the record ``error.record``, which ends the batch.

        :raises RunError: this error.
        """
        raise error from None

    def record_dropped(self, key: Key, node: str, cause: str) -> None:
        """Note that a node's policy gave a record up; ``cause`` is the type of the exception.

        The batch goes on without that record.
        """

    def is_over(self, key: Key) -> bool:
        """Return whether a record goes no further because its request has failed."""
        return False

    def due_of(self, key: Key) -> float:
        """Return when the caller stops waiting for a record, in seconds by ``time.monotonic``."""
        return math.inf

    def began(self, cancel: Callable[[], object]) -> None:
        """Note that coroutines were started; any thread may call ``cancel`` to cancel them."""

    def without_failed(self, columns: list[Column]) -> list[Column]:
        """Return ``columns``, which wait for a vertex, without the records of failed requests."""
        return columns

    def failures_are_independent(self, keys: Sequence[Key]) -> bool:
        """Return whether the failure of any of these records lets all others go on.

        If so, a unit may run them all in one loop without checking each.
        """
        return True


class Rows(NamedTuple):
    """The records that wait for one vertex, in key order.

    ``order`` maps each row to its index in the concatenated columns; None if there is one column.
    """

    keys: Sequence[Key]
    items: Sequence[Any]
    columns: Sequence[Column]
    order: Sequence[int] | None = None

    def edge(self, row: int) -> Edge:
        """Return the edge that a row came over."""
        place = row if self.order is None else self.order[row]
        for column in self.columns:
            if place < len(column.keys):
                break
            place -= len(column.keys)
        return column.edge


def merged(columns: Sequence[Column]) -> Rows:
    """Return the rows of all columns in key order; keys are unique in what waits for one vertex."""
    if len(columns) == 1:
        return Rows(columns[0].keys, columns[0].items, columns)
    keys = list(chain.from_iterable(c.keys for c in columns))
    items = list(chain.from_iterable(c.items for c in columns))
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return Rows([keys[i] for i in order], [items[i] for i in order], columns, order)


def sampled_rows(keys: Sequence[Key], sampled: frozenset[int]) -> list[int]:
    """Return the indices, in ascending ``keys``, of the records whose spans are recorded.

    It looks up the sampled numbers, so that records that are not sampled cost nothing.
    """
    rows: list[int] = []
    if not keys or not sampled:
        return rows
    if isinstance(keys, range):
        start, ordered = keys.start, sorted(sampled)
        first, end = bisect_left(ordered, start), bisect_left(ordered, keys.stop)
        return [sequence - start for sequence in ordered[first:end]]
    if isinstance(keys[0], tuple):
        for sequence in sorted(sampled):
            row = bisect_left(keys, (sequence,))
            while row < len(keys) and root_of(keys[row]) == sequence:
                rows.append(row)
                row += 1
        return rows
    numbers = cast(Sequence[int], keys)
    row, last = 0, len(keys) - 1
    for sequence in sorted(sampled):
        # Numbers are unique, so the index is at most as far on as the difference of the numbers,
        # and exactly so if none of those in between is missing, which is nearly always true.
        most = min(max(row + sequence - numbers[row], row), last)
        row = most if numbers[most] == sequence else bisect_left(numbers, sequence, row, most)
        if numbers[row] == sequence:
            rows.append(row)
    return rows
