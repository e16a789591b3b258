"""The headers of the data plane's frames: MessagePack arrays, small, never a payload."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from sk_kernel import Batch

#: The hub's name as a sender and receiver of frames.
HUB = "hub"

H = TypeVar("H")


class BatchHeader(msgspec.Struct, array_like=True, frozen=True):
    """Of a BATCH or END frame: one part of a batch, from one segment to another.

    ``epoch`` is the batch's number; ``first`` and ``last`` are the sequence numbers of the source
    records that it holds or that were filtered out of it, which makes it a watermark. ``more`` says
    that another part of it follows. ``sampled`` holds offsets from ``first``, or True for all.
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
    route_hop: int
    more: bool
    complete: bool
    sampled: bool | list[int]


class AckHeader(msgspec.Struct, array_like=True, frozen=True):
    """Of an ACK frame: a segment with nothing downstream is done with batch ``epoch``."""

    sender: str
    segment: int
    epoch: int


class CreditHeader(msgspec.Struct, array_like=True, frozen=True):
    """Of a CREDIT frame: every batch up to ``acknowledged`` is done with."""

    acknowledged: int


class HeaderError(Exception):
    """A frame's header is not what its kind says."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(f"the header of a {kind} frame cannot be read")


encode_header = msgspec.msgpack.Encoder().encode
_decoders = {t: msgspec.msgpack.Decoder(t) for t in (BatchHeader, AckHeader, CreditHeader)}


def decode_header(header_type: type[H], data: bytes | memoryview) -> H:
    """The header in ``data``.

    :raises HeaderError: when it is none of that type.
    """
    try:
        return _decoders[header_type].decode(data)  # type: ignore[return-value, index]
    except msgspec.MsgspecError as error:
        raise HeaderError(header_type.__name__) from error


def sampled_mark(batch: Batch) -> bool | list[int]:
    """``batch.sampled`` as a header carries it."""
    count = len(batch.sampled)
    if count in (0, batch.last - batch.first + 1):
        return count > 0
    return sorted(n - batch.first for n in batch.sampled)


def batch_of(header: BatchHeader, *, final: bool) -> Batch:
    """The batch that a header speaks of."""
    sampled: frozenset[int] = frozenset()
    if header.sampled is True:
        sampled = frozenset(range(header.first, header.last + 1))
    elif header.sampled:
        sampled = frozenset(header.first + offset for offset in header.sampled)
    return Batch(
        header.epoch,
        header.first,
        header.last,
        final=final,
        complete=header.complete,
        sampled=sampled,
    )
