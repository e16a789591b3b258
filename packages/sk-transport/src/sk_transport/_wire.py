"""The format of a frame on the wire.

All integers are big endian. A frame is a prefix of 64 bytes, a header and a payload:

| offset | field         | type  | meaning                                                    |
|-------:|---------------|-------|------------------------------------------------------------|
|      0 | length        | u32   | bytes that follow this field: 60 + header + payload        |
|      4 | version       | u8    | 1                                                          |
|      5 | kind          | u8    | 1 HELLO, 2 WELCOME, 3 BATCH, 4 END, 5 ACK, 6 CREDIT,       |
|        |               |       | 7 REQUEST, 8 REPLY                                         |
|      6 | header_length | u16   | bytes of the header                                        |
|      8 | time          | u64   | nanoseconds of the sender's CLOCK_MONOTONIC when it signed |
|     16 | nonce         | 16 B  | never used twice by one sender                             |
|     32 | signature     | 32 B  | HMAC-SHA256, see `_signing.py`                             |
|     64 | header        | bytes | routing: read by processes that relay the frame            |
|      - | payload       | bytes | the rest: read by the receiver only                        |

The first 8 bytes decide whether a frame is read at all. They are checked in this order: version,
length, kind, header length.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from sk_transport._limits import PREFIX_BYTES, FrameLimits
from sk_transport.errors import (
    FrameTooShortError,
    HeaderOverrunError,
    OversizeFrameError,
    OversizeHeaderError,
    UnsupportedKindError,
    UnsupportedVersionError,
)

PROTOCOL_VERSION = 1
"""The protocol version in every frame; frames of any other version are rejected."""

NONCE_BYTES = 16
SIGNATURE_BYTES = 32
LENGTH_BYTES = 4
HEAD_BYTES = 8
SIGNED_PREFIX_BYTES = PREFIX_BYTES - SIGNATURE_BYTES

Buffer: TypeAlias = bytes | bytearray | memoryview
"""Any bytes-like object that a frame can be read from or made of."""

HEAD = struct.Struct(">IBBH")
SIGNED_PREFIX = struct.Struct(f">IBBHQ{NONCE_BYTES}s")
_SEAL = struct.Struct(f">Q{NONCE_BYTES}s{SIGNATURE_BYTES}s")


class FrameKind(IntEnum):
    """The purpose of a frame.

    The transport itself uses HELLO and WELCOME, for the handshake. It carries the others without
    interpreting them.
    """

    HELLO = 1
    WELCOME = 2
    BATCH = 3
    END = 4
    ACK = 5
    CREDIT = 6
    REQUEST = 7
    REPLY = 8


_KINDS = {int(kind): kind for kind in FrameKind}


class FrameHead(NamedTuple):
    """The content of the first 8 bytes: size of the whole frame, kind, size of the header."""

    size: int
    kind: FrameKind
    header_length: int


def read_head(data: Buffer, offset: int, limits: FrameLimits) -> FrameHead:
    """Read and check the first 8 bytes of a frame, at `offset` of `data`.

    Raises the `FrameError` of the first fault, in this order: version, length, kind, header length.
    """
    length, version, kind, header_length = HEAD.unpack_from(data, offset)
    if version != PROTOCOL_VERSION:
        raise UnsupportedVersionError(version, PROTOCOL_VERSION)
    size = LENGTH_BYTES + length
    if size < PREFIX_BYTES:
        raise FrameTooShortError(length, PREFIX_BYTES - LENGTH_BYTES)
    if size > limits.max_frame_bytes:
        raise OversizeFrameError(size, limits.max_frame_bytes)
    known = _KINDS.get(kind)
    if known is None:
        raise UnsupportedKindError(kind)
    if header_length > limits.max_header_bytes:
        raise OversizeHeaderError(header_length, limits.max_header_bytes)
    if header_length > size - PREFIX_BYTES:
        raise HeaderOverrunError(header_length, size - PREFIX_BYTES)
    return FrameHead(size, known, header_length)


class WireFrame:
    """One whole frame as a `FrameDecoder` cut it from the stream, NOT yet verified.

    `raw` holds all of its bytes, as a relay sends them on; `payload` is a read-only view into it,
    `header` a copy. `time_ns`, `nonce` and `signature` are the sender's claims.
    """

    __slots__ = ("header", "kind", "nonce", "payload", "raw", "signature", "time_ns")

    def __init__(self, raw: bytearray, head: FrameHead) -> None:
        payload_at = PREFIX_BYTES + head.header_length
        view = memoryview(raw).toreadonly()
        self.raw = raw
        self.kind = head.kind
        self.header = bytes(view[PREFIX_BYTES:payload_at])
        self.payload = view[payload_at:]
        self.time_ns: int
        self.nonce: bytes
        self.signature: bytes
        self.time_ns, self.nonce, self.signature = _SEAL.unpack_from(raw, HEAD_BYTES)

    def __repr__(self) -> str:
        # Sizes only: the content of a frame must not appear in a log.
        return (
            f"<WireFrame {self.kind.name} header {len(self.header)} B"
            f" payload {len(self.payload)} B>"
        )
