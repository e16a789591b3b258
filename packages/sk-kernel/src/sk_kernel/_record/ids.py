"""Identifiers that every process derives for itself, and the sampling decision.

A trace id is made of the run id and a record's sequence, a span id of the trace, the node and the
record's key. So nothing has to travel for them, and the same run gives the same ids whatever
processes it is spread over. Formats: W3C Trace Context (16 and 8 bytes, lower-case hexadecimal).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from sk_kernel._record.envelope import Key
from sk_kernel._record.id_columns import MarkedRecords, Spread
from sk_kernel._record.trace_context import w3c_trace_id

_TURN = 1 << 64
_MASK = _TURN - 1
#: 2^64 divided by the golden ratio, odd: consecutive sequences spread evenly over 64 bits.
_WEYL = 0x9E3779B97F4A7C15
#: Another odd number of no pattern, so that what it spreads is not spread the same way.
_OTHER = 0xBF58476D1CE4E5B9
_BACK = pow(_WEYL, -1, _TURN)


class TraceIds:
    """The trace ids of one run, and which of its records are sampled.

    The low 64 bits are an even spread of the sequence numbers and are what sampling by ratio looks
    at (as OpenTelemetry's ``TraceIdRatioBased`` does); the high 64 bits tell runs apart. Whether a
    record is sampled is its sequence number's matter, also where an envelope gives it a trace id;
    but what a caller decided who sent a ``traceparent`` with it goes first.
    """

    def __init__(self, run_id: str, sampling_ratio: float = 1.0) -> None:
        seed = blake2b(run_id.encode(), digest_size=16, person=b"sk-trace").digest()
        self._high = seed[:8].hex()
        other = blake2b(run_id.encode(), digest_size=8, person=b"sk-batches")
        self._high_of_batches = other.hexdigest()
        self._offset = int.from_bytes(seed[8:], "big")
        high = int.from_bytes(seed[:8], "big")
        self._spread = Spread(high, _WEYL, self._offset, _OTHER)
        bound = round(sampling_ratio * _TURN)
        # To a single place the spread comes back after 2^64 records: that is never.
        self._bound = bound if bound > 1 else 0
        self._up, self._down = _returns(self._bound)

    def of(self, sequence: int) -> str:
        """The trace id of the record with this sequence number."""
        return f"{self._high}{self._place(sequence):016x}"

    def marked(self, sequence: int) -> tuple[str, int]:
        """The trace id of a record whose key is its sequence number, and its mark."""
        place = (sequence * _WEYL + self._offset) & _MASK
        return f"{self._high}{place:016x}", place ^ (sequence * _OTHER & _MASK)

    def marked_at_once(self, sequences: Sequence[int]) -> MarkedRecords:
        """What :meth:`marked` gives for each of them."""
        return self._spread.records(sequences)

    def of_batch(self, number: int) -> str:
        """The trace id of the hops of the batch with this number: none of a record's."""
        return f"{self._high_of_batches}{self._place(number):016x}"

    def sequence_of(self, trace_id: str) -> int | None:
        """The sequence number that :meth:`of` gives this trace id for; None for another run's."""
        try:
            place = int(trace_id[16:], 16)
        except ValueError:
            return None
        sequence = (place - self._offset) * _BACK & _MASK
        return sequence if self.of(sequence) == trace_id else None

    def sampled(self, first: int, last: int) -> frozenset[int]:
        """The sequence numbers in ``first..last`` (both included) whose trace is recorded."""
        if self._bound <= 0:
            return frozenset()
        if self._bound >= _TURN:
            return frozenset(range(first, last + 1))
        found = []
        sequence = first + self._until(self._place(first))
        while sequence <= last:
            found.append(sequence)
            sequence += self._gap(self._place(sequence))
        return frozenset(found)

    def takes(self, trace_id: str) -> bool:
        """Whether a trace that is not this run's is recorded: the same for all who see its id.

        By a hash of it, since its bits may be anything: those of a UUID, say, are not all random.
        """
        spread = blake2b(w3c_trace_id(trace_id).encode(), digest_size=8, person=b"sk-takes")
        return int.from_bytes(spread.digest(), "big") < self._bound

    def _place(self, sequence: int) -> int:
        return (sequence * _WEYL + self._offset) & _MASK

    def _until(self, place: int) -> int:
        """How many records on from one at ``place`` the first sampled one comes."""
        if place < self._bound:
            return 0
        return _first_multiple(_WEYL, _TURN, _TURN - place, _TURN - place + self._bound - 1)

    def _gap(self, place: int) -> int:
        """How many records behind a sampled one the next sampled one comes."""
        if place + self._up.way < self._bound:
            return self._up.steps
        if place >= self._down.way:
            return self._down.steps
        return self._up.steps + self._down.steps


class _Return(NamedTuple):
    """So many steps of the spread lead so far upwards, or downwards, and no fewer less far."""

    steps: int
    way: int


def _returns(bound: int) -> tuple[_Return, _Return]:
    """The shortest returns, up and down, that are shorter than ``bound``.

    By the three gap theorem a point of the spread below ``bound`` comes back there by the one, by
    the other or by both together; so the sampled records are found without looking at the others.
    """
    up, down = _Return(1, _WEYL), _Return(1, _TURN - _WEYL)
    while max(up.way, down.way) >= bound > 0:
        both = up.steps + down.steps
        if up.way > down.way:
            up = _Return(both, up.way - down.way)
        else:
            down = _Return(both, down.way - up.way)
    return up, down


def _first_multiple(step: int, turn: int, low: int, high: int) -> int:
    """The least ``k`` for which ``k * step % turn`` is within ``low`` to ``high``.

    There is one: ``step`` has no divisor in common with ``turn``. By Euclid's algorithm, since a
    multiple that wraps around ``turn`` is one of ``-turn`` within ``step``.
    """
    if low == 0:
        return 0
    k = -(-low // step)
    if k * step <= high:
        return k
    wraps = _first_multiple(turn % step, step, -high % step, -low % step)
    return -(-(low + wraps * turn) // step)


def span_id(trace_id: str, node: str, key: Key) -> str:
    """The id of the span of ``node`` on the record ``key`` of a trace.

    :param trace_id: as :func:`w3c_trace_id` gives it.
    """
    return joined_id(record_mark(trace_id, key), node_mark(node))


def joined_id(record: int, node: int) -> str:
    """The id of a span by its two marks: no more than this is done for each span.

    No two nodes have the same id on one record, nor two records of a trace in a graph that does not
    branch; any other two spans of a trace only by a chance of 2^-64.
    """
    return "%016x" % (record ^ node)


def record_mark(trace_id: str, key: Key) -> int:
    """What the ids have in common of the spans of one record."""
    place = int(trace_id[16:], 16)
    if isinstance(key, int):
        return place ^ (key * _OTHER & _MASK)
    own = blake2b(repr(key).encode(), digest_size=8, person=b"sk-key")
    return place ^ int.from_bytes(own.digest(), "big")


@lru_cache(maxsize=1024)
def node_mark(node: str) -> int:
    """What the ids have in common of the spans of one node."""
    own = blake2b(node.encode(), digest_size=8, person=b"sk-node")
    return int.from_bytes(own.digest(), "big")
