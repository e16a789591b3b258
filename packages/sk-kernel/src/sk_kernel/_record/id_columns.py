"""Compute the ids of :mod:`.ids` for many records at once, by arithmetic on one large integer.

A column of numbers is packed into one large integer, the first number at its most significant end.
An operation on the whole column is then one step of the interpreter instead of several per number.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

_ID, _TRACE = 8, 16  # bytes


class MarkedRecords(NamedTuple):
    """The trace ids of several records, and their 64-bit marks, packed into one integer."""

    traces: Sequence[str]
    marks: int


def marked_records(records: Iterable[tuple[str, int]]) -> MarkedRecords:
    """Pack records given as pairs of trace id and mark."""
    traces: list[str] = []
    marks: list[bytes] = []
    for trace, mark in records:
        traces.append(trace)
        marks.append(mark.to_bytes(_ID))
    return MarkedRecords(traces, int.from_bytes(b"".join(marks)))


def joined_ids(records: MarkedRecords, node: int) -> list[str]:
    """Return the ids of the records' spans at the node with this mark."""
    count = len(records.traces)
    ids = records.marks ^ node * _ones(count, _ID)
    return _hex(ids, count, _ID)


class Spread(NamedTuple):
    """The parameters by which trace ids and marks are computed from sequence numbers.

    ``high`` is the upper half of all trace ids. The lower half is the sequence number times
    ``step`` plus ``offset``, and the mark is the lower half XOR the sequence number times
    ``other``, all modulo 2^64. See :class:`sk_kernel._record.ids.TraceIds`.
    """

    high: int
    step: int
    offset: int
    other: int

    def records(self, sequences: Sequence[int]) -> MarkedRecords:
        """Return the records with these sequence numbers, of less than 63 bits each."""
        count = len(sequences)
        ones, low = _ones(count, _TRACE), _lower(count)
        # Each number has a field of 128 bits, so that no product overflows into the next field.
        numbers = int.from_bytes(b"".join(map(int.to_bytes, sequences, repeat(_TRACE))))
        places = (numbers * self.step + self.offset * ones) & low
        marks = array("Q", (places ^ numbers * self.other & low).to_bytes(_TRACE * count))
        traces = places | (self.high << 64) * ones
        return MarkedRecords(_hex(traces, count, _TRACE), int.from_bytes(marks[1::2].tobytes()))


def _hex(number: int, count: int, width: int) -> list[str]:
    return number.to_bytes(width * count).hex(",", width).split(",") if count else []


@lru_cache(maxsize=64)
def _ones(count: int, width: int) -> int:
    """Return ``count`` fields of ``width`` bytes, each with the value 1, as one integer."""
    return int.from_bytes((1).to_bytes(width) * count)


@lru_cache(maxsize=64)
def _lower(count: int) -> int:
    """Return ``count`` fields of 128 bits, each with its lower half set, as one integer."""
    return int.from_bytes((_TRACE // 2 * b"\0" + _TRACE // 2 * b"\xff") * count)
