"""The headers of the data plane's frames: MessagePack arrays, small, never a payload."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec
from sk_kernel.runtime import UNREADABLE, Batch

from sk_supervisor._peer_errors import HeaderError

#: The hub's name as a sender and receiver of frames.
HUB = "hub"
#: The name of whoever asks, in the supervisor's process: no worker's, since those have an index.
CLIENT = "client"

#: Of a header, what its names and numbers take at most; the rest has room for sampling marks.
_HEADER_WITHOUT_MARKS = 3_000


#: A distance between records of one batch takes at most so many.
_DISTANCE_BYTES = 5

#: The records of a batch all of which are marked, at most: twice what the largest header has bits
#: for, since a source may give somewhat more than it is asked for.
_MOST_MARKED = 1 << 20


def most_records(max_header_bytes: int) -> int:
    """The records of one batch, at most: a header has room for a mark, a bit, of each."""
    return 8 * (max_header_bytes - _HEADER_WITHOUT_MARKS)


H = TypeVar("H")


class BatchHeader(msgspec.Struct, array_like=True, frozen=True):
    """Of a BATCH or END frame: one part of a batch, from one segment to another.

    ``epoch`` is the batch's number; ``first`` and ``last`` are the sequence numbers of the source
    records that it holds or that were filtered out of it, which makes it a watermark. ``more`` says
    that another part of it follows. ``sampled`` is True for all records, False for none, or their
    distances from ``first``; where that takes more room, a bit for each from there on, the lowest
    first: a header is small. ``skipped`` are all the records that the sender's nodes have skipped
    so far, those of this batch among them: where it goes on, it is known what is not in it.
    """

    sender: str
    receiver: str
    run_id: str
    scenario_id: str
    epoch: int
    first: int
    last: int
    source_segment: int
    target_segment: int
    more: bool
    complete: bool
    sampled: bool | bytes | list[int]
    skipped: int = 0


class SinkEnd(msgspec.Struct, array_like=True, frozen=True):
    """How a sink has come to its end: it has committed, or else aborted.

    ``source_records`` were read until then, ``records_out`` written.
    """

    committed: bool
    source_records: int
    records_out: int


class AckHeader(msgspec.Struct, array_like=True, frozen=True):
    """Of an ACK frame: the sink's segment, behind all others, is done with batch ``epoch``.

    With the last batch comes the ``end`` of the sink. ``skipped`` is as of a batch that goes on.
    """

    sender: str
    segment: int
    epoch: int
    end: SinkEnd | None = None
    skipped: int = 0


class CreditHeader(msgspec.Struct, array_like=True, frozen=True):
    """Of a CREDIT frame: every batch up to ``acknowledged`` is done with."""

    acknowledged: int


class RequestHeader(msgspec.Struct, array_like=True, frozen=True):
    """Of a REQUEST frame: records of requests on their way to one segment.

    ``source_segment`` is None where a caller sends it.
    """

    sender: str
    receiver: str
    run_id: str
    source_segment: int | None
    target_segment: int


class ReplyHeader(msgspec.Struct, array_like=True, frozen=True):
    """Of a REPLY frame: what shares of requests have ended in, for the caller."""

    run_id: str


encode_header = msgspec.msgpack.Encoder().encode
_HEADERS = (BatchHeader, AckHeader, CreditHeader, RequestHeader, ReplyHeader)
_decoders = {t: msgspec.msgpack.Decoder(t) for t in _HEADERS}


def decode_header(header_type: type[H], data: bytes | memoryview) -> H:
    """The header in ``data``.

    :raises HeaderError: when it is none of that type.
    """
    try:
        return _decoders[header_type].decode(data)  # type: ignore[return-value, index]
    except UNREADABLE as error:
        raise HeaderError(header_type.__name__) from error


def require_run(header: BatchHeader | RequestHeader | ReplyHeader, run_id: str) -> None:
    """See that a frame is of this run, and of no other.

    :raises HeaderError: when its header names another one.
    """
    if header.run_id != run_id:
        raise HeaderError(type(header).__name__, "names another run")


def require_scenario(header: BatchHeader, scenario_id: str) -> None:
    """See that a batch is of this run's scenario.

    :raises HeaderError: when its header names another one.
    """
    if header.scenario_id != scenario_id:
        raise HeaderError(type(header).__name__, "names another scenario")


def sampled_mark(batch: Batch) -> bool | bytes | list[int]:
    """``batch.sampled`` as a header carries it."""
    size = batch.last - batch.first + 1
    if len(batch.sampled) in (0, size):
        return bool(batch.sampled)
    if len(batch.sampled) * _DISTANCE_BYTES * 8 <= size:
        return [sequence - batch.first for sequence in sorted(batch.sampled)]
    bits = bytearray((size + 7) // 8)
    for sequence in batch.sampled:
        place, bit = divmod(sequence - batch.first, 8)
        bits[place] |= 1 << bit
    return bytes(bits)


def batch_of(header: BatchHeader, *, final: bool) -> Batch:
    """The batch that a header speaks of.

    :raises HeaderError: when it marks what is none of its records, or more than a batch holds.
    """
    if not _is_sane(header):
        raise HeaderError(BatchHeader.__name__)
    return Batch(
        header.epoch,
        header.first,
        header.last,
        final=final,
        complete=header.complete,
        sampled=frozenset(_marked(header)),
    )


def _is_sane(header: BatchHeader) -> bool:
    """Whether the marks are of the header's own records; seen before any of them is unfolded."""
    mark, size = header.sampled, header.last - header.first + 1
    if mark is True:
        return 0 <= size <= _MOST_MARKED
    if isinstance(mark, bytes):
        return int.from_bytes(mark, "little").bit_length() <= size
    return size >= 0 and (not mark or (min(mark) >= 0 and max(mark) < size))


def _marked(header: BatchHeader) -> Iterable[int]:
    mark = header.sampled
    if isinstance(mark, bool):
        return range(header.first, header.last + 1) if mark else ()
    if isinstance(mark, list):
        return [header.first + distance for distance in mark]
    places = (i for i, byte in enumerate(mark) if byte)
    return (header.first + 8 * i + bit for i in places for bit in range(8) if mark[i] >> bit & 1)
