"""A batch, and the columns of payloads that it consists of."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, ClassVar, NamedTuple

from msgspec import Struct, field

from sk_kernel._ends import ENDS
from sk_kernel._envelope import NO_CORRELATION, Correlation, Key, root_of
from sk_kernel._graph import Edge
from sk_kernel._specs import PayloadType
from sk_kernel.errors import RunError


class Section(NamedTuple):
    """A column between two segments: payloads of one type from one producer, by ascending key."""

    producer: str
    payload: PayloadType
    target: str | None
    keys: Sequence[Key]
    items: Sequence[Any]


class Column(NamedTuple):
    """What came over one edge, by ascending key."""

    edge: Edge
    keys: Sequence[Key]
    items: Sequence[Any]


class Batch(Struct):
    """The records ``first..last`` of the source (none when ``last`` is ``first - 1``).

    ``final`` marks the end of input: nodes are asked to ``finish()``. ``complete`` says that the
    source had no more, ``False`` that it was interrupted. ``correlations`` holds what envelopes
    said, by key; ``sampled`` the sequence numbers whose spans are recorded.
    """

    number: int
    first: int
    last: int
    final: bool = False
    complete: bool = True
    correlations: dict[Key, Correlation] = field(default_factory=dict)
    sampled: frozenset[int] = frozenset()
    #: Whether its records are of requests, none of which ends another one.
    asked: ClassVar[bool] = False

    def correlation(self, key: Key) -> Correlation:
        """What is known about a record besides its payload."""
        return self.correlations.get(key, NO_CORRELATION)

    def child(self, key: Key, index: int) -> Key:
        """The key of one of several that a record becomes, of which is known what was of it."""
        child = (*key, index) if isinstance(key, tuple) else (key, index)
        known = self.correlations
        if known and key in known:
            known[child] = known[key]
        return child

    @property
    def blamed(self) -> Iterable[RunError]:
        """What records did that does not end the batch."""
        return ()

    def bears(self, error: BaseException) -> bool:
        """Whether what a node raised is its record's matter, and not one of the whole process."""
        return not isinstance(error, ENDS)

    def blame(self, error: RunError) -> None:
        """A record did this: the batch ends with it.

        :raises RunError: this one.
        """
        raise error from None

    def gave_up(self, key: Key, node: str, cause: str) -> None:
        """A node's policy let go of a record; the batch goes on without it."""

    def is_over(self, key: Key) -> bool:
        """Whether the record is not to be run any further."""
        return False

    def going(self, columns: list[Column]) -> list[Column]:
        """Of what waits for a vertex that which is to be run further."""
        return columns

    def are_apart(self, keys: Sequence[Key]) -> bool:
        """Whether none of these records is over when another one is."""
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
    end = len(keys)
    for sequence in sorted(sampled):
        row = bisect_left(keys, sequence)
        if row < end and keys[row] == sequence:
            rows.append(row)
    return rows
