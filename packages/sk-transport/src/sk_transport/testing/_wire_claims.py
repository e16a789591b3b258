"""The claims on bad bytes that a channel receives, as functions that check them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sk_transport._limits import PREFIX_BYTES
from sk_transport._wire import (
    HEAD,
    HEAD_BYTES,
    LENGTH_BYTES,
    PROTOCOL_VERSION,
    SIGNED_PREFIX_BYTES,
    FrameKind,
    WireFrame,
)
from sk_transport.errors import (
    FrameError,
    InvalidSignatureError,
    OversizeFrameError,
    ReplayedNonceError,
    TransportError,
    TruncatedFrameError,
    UnsupportedVersionError,
)
from sk_transport.testing._claim_limits import LIMITS
from sk_transport.testing._expect import SOON, equal, raises
from sk_transport.testing._pair import ChannelEnd, ChannelPair

_HEADER, _PAYLOAD = b"route", b"records"


def a_frame_sent_twice_is_received_once(pair: ChannelPair) -> None:
    """A copy is rejected as a replay, at once and later; the next frame is received."""
    raw = bytes(_sent(pair.left, pair.right).raw)
    for _ in range(2):
        _inject(pair)(raw)
        raises(ReplayedNonceError, lambda: pair.right.receive(SOON))
        equal(_sent(pair.left, pair.right).header, _HEADER, "the next frame")


def a_frame_sent_back_is_refused(pair: ChannelPair) -> None:
    """A frame that an end has signed is rejected by that end: signatures are per direction."""
    raw = bytes(_sent(pair.right, pair.left).raw)
    _inject(pair)(raw)
    raises(InvalidSignatureError, lambda: pair.right.receive(SOON))
    equal(_sent(pair.left, pair.right).header, _HEADER, "the next frame")


def one_changed_bit_is_refused(pair: ChannelPair) -> None:
    """A change of any bit after the first 8 bytes of a frame invalidates its signature."""
    raw = bytes(_sent(pair.left, pair.right).raw)
    for position in range(HEAD_BYTES, len(raw)):
        _inject(pair)(_flipped(raw, position))
        raises(InvalidSignatureError, lambda: pair.right.receive(SOON))
    equal(_sent(pair.left, pair.right).header, _HEADER, "the next frame")


def a_signature_of_nothing_is_refused(pair: ChannelPair) -> None:
    """Signatures of zeros, of letters and of non-ASCII bytes are all rejected as invalid."""
    raw = bytes(_sent(pair.left, pair.right).raw)
    for signature in (bytes(32), b"f" * 32, "é".encode() * 16, b"\xff" * 32):
        forged = raw[:SIGNED_PREFIX_BYTES] + signature + raw[PREFIX_BYTES:]
        _inject(pair)(forged)
        raises(InvalidSignatureError, lambda: pair.right.receive(SOON))


def another_version_ends_the_stream(pair: ChannelPair) -> None:
    """A frame of another version raises `UnsupportedVersionError`, at every further receive too."""
    _inject(pair)(HEAD.pack(PREFIX_BYTES - LENGTH_BYTES, PROTOCOL_VERSION + 1, 3, 0) + bytes(56))
    for _ in range(2):
        raises(UnsupportedVersionError, lambda: pair.right.receive(SOON))


def an_oversized_frame_ends_the_stream_before_its_body(pair: ChannelPair) -> None:
    """A frame over the limit is rejected by its first 8 bytes, without waiting for the rest."""
    length = LIMITS.max_frame_bytes - LENGTH_BYTES + 1
    _inject(pair)(HEAD.pack(length, PROTOCOL_VERSION, FrameKind.BATCH, 0))
    fault = raises(OversizeFrameError, lambda: pair.right.receive(SOON))
    equal(fault.size, LIMITS.max_frame_bytes + 1, "the size")


def garbage_ends_the_stream(pair: ChannelPair) -> None:
    """Bytes that are not a frame raise a `FrameError`, after the frames before them."""
    pair.left.send(FrameKind.BATCH, _HEADER, _PAYLOAD, SOON)
    _inject(pair)(b"GET / HTTP/1.1\r\n\r\n")
    equal(pair.right.receive(SOON).header, _HEADER, "the frame before")
    first = raises(FrameError, lambda: pair.right.receive(SOON))
    equal(raises(FrameError, lambda: pair.right.receive(SOON)), first, "the same fault again")


def an_end_in_mid_frame_is_a_truncation(pair: ChannelPair) -> None:
    """An end of the stream within a frame raises `TruncatedFrameError`, not a normal close."""
    raw = bytes(_sent(pair.left, pair.right).raw)
    _inject(pair)(raw[:-1])
    pair.left.close()
    fault = raises(TruncatedFrameError, lambda: pair.right.receive(SOON))
    equal((fault.received, fault.expected), (len(raw) - 1, len(raw)), "how far it came")


def a_refusal_shows_nothing_of_the_frame(pair: ChannelPair) -> None:
    """Neither the error nor its repr contains the header or payload."""
    pair.left.send(FrameKind.BATCH, b"HEADER-MARK", b"PAYLOAD-MARK", SOON)
    raw = bytes(pair.right.receive(SOON).raw)
    for forged in (raw, _flipped(raw, 40), raw[:4] + b"\0" + raw[5:]):
        _inject(pair)(forged)
        fault = raises(TransportError, lambda: pair.right.receive(SOON))
        equal("MARK" in f"{fault} {fault!r}", False, "the frame shows")


def _sent(sender: ChannelEnd, receiver: ChannelEnd) -> WireFrame:
    sender.send(FrameKind.BATCH, _HEADER, _PAYLOAD, SOON)
    return receiver.receive(SOON)


def _inject(pair: ChannelPair) -> Callable[[bytes], None]:
    if pair.inject is None:
        raise AssertionError("these claims need a pair with inject")
    return pair.inject


def _flipped(raw: bytes, position: int) -> bytes:
    return raw[:position] + bytes([raw[position] ^ 1 << position % 8]) + raw[position + 1 :]


WIRE_CLAIMS: Final = (
    a_frame_sent_twice_is_received_once,
    a_frame_sent_back_is_refused,
    one_changed_bit_is_refused,
    a_signature_of_nothing_is_refused,
    another_version_ends_the_stream,
    an_oversized_frame_ends_the_stream_before_its_body,
    garbage_ends_the_stream,
    an_end_in_mid_frame_is_a_truncation,
    a_refusal_shows_nothing_of_the_frame,
)
"""Bad bytes that `SecureChannel` must reject, and how; one function for each."""
