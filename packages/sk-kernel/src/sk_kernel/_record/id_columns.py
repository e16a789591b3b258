"""The ids of many records at once: those of :mod:`.ids`, by arithmetic on one large number.

A column of numbers is one large number, the first one at its most significant end: what is done to
each of them is then one step of the interpreter's, and not several for each.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

_ID, _TRACE = 8, 16  # bytes


class MarkedRecords(NamedTuple):
    """Records: the traces that they are in, and their marks, of 64 bits each, as one number."""

    traces: Sequence[str]
    marks: int


def marked_records(records: Iterable[tuple[str, int]]) -> MarkedRecords:
    """Records of which the trace ids and the marks are known."""
    traces: list[str] = []
    marks: list[bytes] = []
    for trace, mark in records:
        traces.append(trace)
        marks.append(mark.to_bytes(_ID))
    return MarkedRecords(traces, int.from_bytes(b"".join(marks)))


def joined_ids(records: MarkedRecords, node: int) -> list[str]:
    """The ids of the records' spans at the node with this mark."""
    count = len(records.traces)
    ids = records.marks ^ node * _ones(count, _ID)
    return _hex(ids, count, _ID)


class Spread(NamedTuple):
    """How trace ids and marks follow from sequence numbers: see
    :class:`sk_kernel._record.ids.TraceIds`.

    ``high`` is the upper half of all trace ids; the lower one is the sequence number times
    ``step``, and ``offset``; the mark is that one's difference from the number times ``other``.
    """

    high: int
    step: int
    offset: int
    other: int

    def records(self, sequences: Sequence[int]) -> MarkedRecords:
        """The records with these sequence numbers, of less than 63 bits."""
        count = len(sequences)
        ones, low = _ones(count, _TRACE), _lower(count)
        # Lanes of 128 bits, so that no product runs into the next one.
        numbers = int.from_bytes(b"".join(map(int.to_bytes, sequences, repeat(_TRACE))))
        places = (numbers * self.step + self.offset * ones) & low
        marks = array("Q", (places ^ numbers * self.other & low).to_bytes(_TRACE * count))
        traces = places | (self.high << 64) * ones
        return MarkedRecords(_hex(traces, count, _TRACE), int.from_bytes(marks[1::2].tobytes()))


def _hex(number: int, count: int, width: int) -> list[str]:
    return number.to_bytes(width * count).hex(",", width).split(",") if count else []


@lru_cache(maxsize=64)
def _ones(count: int, width: int) -> int:
    """A number that has 1 in each of so many lanes."""
    return int.from_bytes((1).to_bytes(width) * count)


@lru_cache(maxsize=64)
def _lower(count: int) -> int:
    """A number that has the lower half of each lane of 128 bits set."""
    return int.from_bytes((_TRACE // 2 * b"\0" + _TRACE // 2 * b"\xff") * count)
