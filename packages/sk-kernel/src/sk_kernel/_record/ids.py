"""Trace and span ids that every process derives for itself, and the sampling decision.

A trace id is computed from the run id and a record's sequence number; a span id from the trace id,
the node and the record's key. So no ids have to be sent between processes, and a run has the same
ids under every placement. Formats: W3C Trace Context (16 and 8 bytes, lower-case hexadecimal).
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
#: Another odd number without a pattern, whose multiples are spread in a different way.
_OTHER = 0xBF58476D1CE4E5B9
_BACK = pow(_WEYL, -1, _TURN)


class TraceIds:
    """The trace ids of one run, and the decision which of its records are sampled.

    The low 64 bits are the sequence numbers, spread evenly; sampling by ratio compares them with a
    bound (as OpenTelemetry's ``TraceIdRatioBased`` does). The high 64 bits differ between runs. A
    record's sequence number decides whether it is sampled, even if an envelope sets its trace id;
    but the decision in the ``traceparent`` that a caller sent with it takes precedence.
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
        # A bound of 1 would sample one record in 2^64, which no run reaches: treat it as none.
        self._bound = bound if bound > 1 else 0
        self._up, self._down = _returns(self._bound)

    def of(self, sequence: int) -> str:
        """Return the trace id of the record with this sequence number."""
        return f"{self._high}{self._place(sequence):016x}"

    def marked(self, sequence: int) -> tuple[str, int]:
        """Return the trace id and the mark of a record whose key is its sequence number."""
        place = (sequence * _WEYL + self._offset) & _MASK
        return f"{self._high}{place:016x}", place ^ (sequence * _OTHER & _MASK)

    def marked_at_once(self, sequences: Sequence[int]) -> MarkedRecords:
        """Return the results of :meth:`marked` for all these sequence numbers, packed."""
        return self._spread.records(sequences)

    def of_batch(self, number: int) -> str:
        """Return the trace id of the hops of the batch with this number; no record has it."""
        return f"{self._high_of_batches}{self._place(number):016x}"

    def sequence_of(self, trace_id: str) -> int | None:
        """Return the sequence number of a trace id made by :meth:`of`; None for any other id."""
        try:
            place = int(trace_id[16:], 16)
        except ValueError:
            return None
        sequence = (place - self._offset) * _BACK & _MASK
        return sequence if self.of(sequence) == trace_id else None

    def sampled(self, first: int, last: int) -> frozenset[int]:
        """Return the sequence numbers in ``first..last`` (inclusive) whose traces are recorded."""
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
        """Whether a trace with an id from outside this run is recorded.

        The decision depends only on the id and the sampling ratio. It uses a hash of the id, since
        not all bits of such an id (a UUID, say) are random.
        """
        spread = blake2b(w3c_trace_id(trace_id).encode(), digest_size=8, person=b"sk-takes")
        return int.from_bytes(spread.digest(), "big") < self._bound

    def _place(self, sequence: int) -> int:
        return (sequence * _WEYL + self._offset) & _MASK

    def _until(self, place: int) -> int:
        """Return the distance from a record at ``place`` to the first sampled one; 0 for itself."""
        if place < self._bound:
            return 0
        return _first_multiple(_WEYL, _TURN, _TURN - place, _TURN - place + self._bound - 1)

    def _gap(self, place: int) -> int:
        """Return the distance from a sampled record to the next sampled one."""
        if place + self._up.way < self._bound:
            return self._up.steps
        if place >= self._down.way:
            return self._down.steps
        return self._up.steps + self._down.steps


class _Return(NamedTuple):
    """A number of steps and how far they move a place up or down; fewer steps move it further."""

    steps: int
    way: int


def _returns(bound: int) -> tuple[_Return, _Return]:
    """Return the shortest moves up and down that are shorter than ``bound``.

    By the three gap theorem, the next place below ``bound`` after one below it is reached by one of
    these moves, or by both together. So the sampled records are found without testing the others.
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
    """Return the least ``k`` for which ``low <= k * step % turn <= high``.

    It exists, since ``step`` and ``turn`` are coprime. The recursion is that of Euclid's algorithm:
    a multiple of ``step`` that wraps around ``turn`` is a multiple of ``-turn`` modulo ``step``.
    """
    if low == 0:
        return 0
    k = -(-low // step)
    if k * step <= high:
        return k
    wraps = _first_multiple(turn % step, step, -high % step, -low % step)
    return -(-(low + wraps * turn) // step)


def span_id(trace_id: str, node: str, key: Key) -> str:
    """Return the id of the span of ``node`` for the record ``key`` of a trace.

    :param trace_id: in the form that :func:`w3c_trace_id` returns.
    """
    return joined_id(record_mark(trace_id, key), node_mark(node))


def joined_id(record: int, node: int) -> str:
    """Return the id of a span from the marks of its record and its node.

    This is all the work per span. The spans of two nodes for one record have different ids, as do
    those of two records of a trace in a graph that does not branch; any other two spans of a trace
    have the same id with a probability of 2^-64.
    """
    return "%016x" % (record ^ node)


def record_mark(trace_id: str, key: Key) -> int:
    """Return the part of a span id that all spans of one record share."""
    place = int(trace_id[16:], 16)
    if isinstance(key, int):
        return place ^ (key * _OTHER & _MASK)
    own = blake2b(repr(key).encode(), digest_size=8, person=b"sk-key")
    return place ^ int.from_bytes(own.digest(), "big")


@lru_cache(maxsize=1024)
def node_mark(node: str) -> int:
    """Return the part of a span id that all spans of one node share."""
    own = blake2b(node.encode(), digest_size=8, person=b"sk-node")
    return int.from_bytes(own.digest(), "big")
