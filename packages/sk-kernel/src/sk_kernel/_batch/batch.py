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
from sk_kernel._record.ends import ENDS
from sk_kernel._record.envelope import NO_CORRELATION, Correlation, Key, root_of
from sk_kernel._record.lineage import Lineage, forks
from sk_kernel.errors import RunError


class Section(NamedTuple):
    """Payloads of one type on their way to another segment, from one producer, by ascending key.

    ``target`` is the one consumer that their envelopes named; None stands for all of them.
    """

    producer: str
    payload: PayloadType
    target: str | None
    keys: Sequence[Key]
    items: Sequence[Any]


class Column(NamedTuple):
    """Payloads that wait for a vertex: what came over one edge, by ascending key."""

    edge: Edge
    keys: Sequence[Key]
    items: Sequence[Any]


class Batch(Struct):
    """The records ``first..last`` of the source (none when ``last`` is ``first - 1``).

    ``final`` marks the end of input: nodes are asked to ``finish()``. ``complete`` says that the
    source had no more, ``False`` that it was interrupted. ``correlations`` holds what envelopes
    said, by key; ``sampled`` the sequence numbers whose spans are recorded.

    Here a record's failure ends the batch, and so the run; a :class:`RequestBatch` holds records
    of requests, and overrides what follows from that.
    """

    number: int
    first: int
    last: int
    final: bool = False
    complete: bool = True
    correlations: dict[Key, Correlation] = field(default_factory=dict)
    sampled: frozenset[int] = frozenset()
    #: Of the process that this batch was made in.
    forks: int = field(default_factory=forks)
    #: Exceptions of a node that end the process.
    fatal_exceptions: ClassVar[tuple[type[BaseException], ...]] = ENDS

    def correlation(self, key: Key) -> Correlation:
        """What is known about a record besides its payload."""
        return self.correlations.get(key, NO_CORRELATION)

    def child(self, key: Key, index: int) -> Key:
        """The key of one of the records that the record ``key`` becomes: with ``index`` behind it.

        What envelopes said of the record is noted for the new one.
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
        """Whether an exception of a node is the failure of a record, not the end of the process.

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
        """Whether a record goes no further because its request has failed."""
        return False

    def due_of(self, key: Key) -> float:
        """Until when the caller waits for a record, in seconds by ``time.monotonic``."""
        return math.inf

    def began(self, cancel: Callable[[], object]) -> None:
        """Coroutines have been started, which ``cancel`` cancels. Any thread may call that."""

    def without_failed(self, columns: list[Column]) -> list[Column]:
        """``columns``, which wait for a vertex, without the records of failed requests."""
        return columns

    def failures_are_independent(self, keys: Sequence[Key]) -> bool:
        """Whether the failure of any of these records leaves all others to go on.

        If so, a unit may run them all in one loop without a check of each.
        """
        return True


class Rows(NamedTuple):
    """The records that wait for one vertex, in key order.

    ``order`` holds each row's place in the columns end to end, None where there is one column.
    """

    keys: Sequence[Key]
    items: Sequence[Any]
    columns: Sequence[Column]
    order: Sequence[int] | None = None

    def edge(self, row: int) -> Edge:
        """The edge that a row came over."""
        place = row if self.order is None else self.order[row]
        for column in self.columns:
            if place < len(column.keys):
                break
            place -= len(column.keys)
        return column.edge


def merged(columns: Sequence[Column]) -> Rows:
    """The rows of all columns in key order. Keys are unique among what waits for one vertex."""
    if len(columns) == 1:
        return Rows(columns[0].keys, columns[0].items, columns)
    keys = list(chain.from_iterable(c.keys for c in columns))
    items = list(chain.from_iterable(c.items for c in columns))
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return Rows([keys[i] for i in order], [items[i] for i in order], columns, order)


def sampled_rows(keys: Sequence[Key], sampled: frozenset[int]) -> list[int]:
    """The places in ascending ``keys`` of the records whose spans are recorded.

    Looks the sampled up, so that a record that is not costs nothing.
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
        # No two have the same number, so it is no further on than there are numbers in between;
        # and there where none of those is missing, as nearly everywhere.
        most = min(max(row + sequence - numbers[row], row), last)
        row = most if numbers[most] == sequence else bisect_left(numbers, sequence, row, most)
        if numbers[row] == sequence:
            rows.append(row)
    return rows
