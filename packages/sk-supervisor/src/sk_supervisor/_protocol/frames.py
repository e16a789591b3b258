"""The headers of the data plane's frames: small MessagePack arrays without payloads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec
from sk_kernel.runtime import UNREADABLE, Batch

from sk_supervisor._peer_errors import HeaderError

#: The hub's name as a sender and receiver of frames.
HUB = "hub"
#: The name of the sender of requests, in the supervisor's process. No worker has it, as the name of
#: a worker has an index.
CLIENT = "client"

#: The bytes of a header without sampling marks, at most; the rest is room for marks.
_HEADER_WITHOUT_MARKS = 3_000
#: The bytes of an encoded distance between records of one batch, at most.
_DISTANCE_BYTES = 5
#: The largest batch whose records may all be marked: twice as many as the largest header has bits
#: for, as a source may return somewhat more records than it is asked for.
_MOST_MARKED = 1 << 20


def most_records(max_header_bytes: int) -> int:
    """The most records of one batch: the header needs room for a sampling bit of each."""
    return 8 * (max_header_bytes - _HEADER_WITHOUT_MARKS)


H = TypeVar("H")


class BatchHeader(msgspec.Struct, array_like=True, frozen=True):
    """The header of a BATCH or END frame: one part of a batch, from one segment to another.

    ``epoch`` is the number of the batch. ``first`` and ``last`` are the sequence numbers of the
    source records that it contains or that were filtered out of it; they form a watermark. ``more``
    says that another part of the batch follows. ``sampled`` is True for all records, False for
    none, or the distances of the sampled ones from ``first``; if those take more room, a bit for
    each record from ``first`` on, the lowest bit first. ``skipped`` is the number of records that
    the sender's nodes have skipped so far, including those of this batch, so that the count is
    known before the batch goes on.
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
    """How a sink has ended: it has committed, or else aborted.

    Until then ``source_records`` were read and ``records_out`` written.
    """

    committed: bool
    source_records: int
    records_out: int


class AckHeader(msgspec.Struct, array_like=True, frozen=True):
    """The header of an ACK frame: the sink's segment, the last one, has finished batch ``epoch``.

    With the last batch it has the ``end`` of the sink. ``skipped`` is as in :class:`BatchHeader`.
    """

    sender: str
    segment: int
    epoch: int
    end: SinkEnd | None = None
    skipped: int = 0


class CreditHeader(msgspec.Struct, array_like=True, frozen=True):
    """The header of a CREDIT frame: every batch up to ``acknowledged`` is acknowledged."""

    acknowledged: int


class RequestHeader(msgspec.Struct, array_like=True, frozen=True):
    """The header of a REQUEST frame: records of requests for one segment.

    ``source_segment`` is None if the frame comes from the callers' end.
    """

    sender: str
    receiver: str
    run_id: str
    source_segment: int | None
    target_segment: int


class ReplyHeader(msgspec.Struct, array_like=True, frozen=True):
    """The header of a REPLY frame: the answers to requests, for their callers."""

    run_id: str


encode_header = msgspec.msgpack.Encoder().encode
_HEADERS = (BatchHeader, AckHeader, CreditHeader, RequestHeader, ReplyHeader)
_decoders = {t: msgspec.msgpack.Decoder(t) for t in _HEADERS}


def decode_header(header_type: type[H], data: bytes | memoryview) -> H:
    """Decode the header in ``data``.

    :raises HeaderError: when it is not of that type.
    """
    try:
        return _decoders[header_type].decode(data)  # type: ignore[return-value, index]
    except UNREADABLE as error:
        raise HeaderError(header_type.__name__) from error


def require_run(header: BatchHeader | RequestHeader | ReplyHeader, run_id: str) -> None:
    """Check that a frame belongs to this run.

    :raises HeaderError: when its header names another run.
    """
    if header.run_id != run_id:
        raise HeaderError(type(header).__name__, "names another run")


def require_scenario(header: BatchHeader, scenario_id: str) -> None:
    """Check that a batch belongs to this run's scenario.

    :raises HeaderError: when its header names another scenario.
    """
    if header.scenario_id != scenario_id:
        raise HeaderError(type(header).__name__, "names another scenario")


def sampled_mark(batch: Batch) -> bool | bytes | list[int]:
    """``batch.sampled`` in the form of :attr:`BatchHeader.sampled`.

    No one form serves all cases. For 8000 records, bits for all of them are 17 times as many bytes
    and take 5 times as long to read as True; for one in a hundred, 4 times as many bytes and 10
    times as long as distances. Distances of all records of a large batch do not fit into a header.
    """
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
    """The batch that a header describes.

    :raises HeaderError: when it marks records outside the batch, or too many.
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
    """Whether all marks are within the batch; checked before any of them is expanded."""
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
