"""The decoder: any chunking gives the same frames; every fault is typed, early and final."""

from __future__ import annotations

import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_transport import (
    Channel,
    FrameDecoder,
    FrameError,
    FrameKind,
    FrameLimits,
    FrameTooShortError,
    HeaderOverrunError,
    InvalidSettingError,
    OversizeFrameError,
    OversizeHeaderError,
    Secret,
    Signer,
    TruncatedFrameError,
    UnsupportedKindError,
    UnsupportedVersionError,
    WireFrame,
)

LIMITS = FrameLimits(max_frame_bytes=200_000, max_header_bytes=1_000)
SIGNER = Signer(Channel("s", "a", "b"), Secret(b"k" * 32), clock=lambda: 7)
PREFIX_BYTES = 64

headers = st.binary(max_size=40)
# Frames that are there share a read-ahead of 128 KiB, of others those over 4 KiB are received in
# place: both, and the edges.
payloads = st.one_of(
    st.binary(max_size=100),
    st.sampled_from([0, 4_000, 4_032, 4_033, 50_000, 131_007, 131_008, 131_009]).map(bytes),
)
kinds = st.sampled_from(FrameKind)
sealed_frames = st.lists(st.tuples(kinds, headers, payloads), max_size=6)


def seal(kind: FrameKind = FrameKind.BATCH, header: bytes = b"", payload: bytes = b"") -> bytes:
    prefix, body = SIGNER.seal(kind, header, payload)
    return prefix + bytes(body)


def head(length: int = 60, version: int = 1, kind: int = 3, header_length: int = 0) -> bytes:
    return struct.pack(">IBBH", length, version, kind, header_length)


def content(frame: WireFrame) -> tuple[FrameKind, bytes, bytes, bytes]:
    return frame.kind, frame.header, bytes(frame.payload), bytes(frame.raw)


def feed_in_chunks(decoder: FrameDecoder, stream: bytes, sizes: list[int]) -> list[WireFrame]:
    frames, position, turn = [], 0, 0
    while position < len(stream):
        size = sizes[turn % len(sizes)] if sizes else len(stream)
        frames += decoder.feed(stream[position : position + size])
        position += size
        turn += 1
    return frames


def receive_into(decoder: FrameDecoder, stream: bytes, size: int) -> list[WireFrame]:
    """As a socket does it: at most `size` bytes at once into the decoder's own buffer."""
    frames, position = [], 0
    while position < len(stream):
        target = decoder.buffer()
        assert len(target) > 0
        chunk = stream[position : position + min(size, len(target))]
        target[: len(chunk)] = chunk
        frames += decoder.advance(len(chunk))
        position += len(chunk)
    return frames


@given(sealed_frames, st.lists(st.integers(1, 20_000), max_size=8))
def test_any_chunking_of_a_stream_gives_the_same_frames(
    messages: list[tuple[FrameKind, bytes, bytes]], sizes: list[int]
) -> None:
    sealed = [seal(*message) for message in messages]
    decoder = FrameDecoder(LIMITS)
    frames = feed_in_chunks(decoder, b"".join(sealed), sizes)
    expected = [(*message, raw) for message, raw in zip(messages, sealed, strict=True)]
    assert [content(frame) for frame in frames] == expected
    assert decoder.at_boundary()
    decoder.finish()


@given(sealed_frames, st.integers(1, 70_000))
def test_receiving_in_place_gives_the_same_frames(
    messages: list[tuple[FrameKind, bytes, bytes]], size: int
) -> None:
    stream = b"".join(seal(*message) for message in messages)
    frames = receive_into(FrameDecoder(LIMITS), stream, size)
    assert [content(frame)[:3] for frame in frames] == messages


@given(st.binary(max_size=300), st.lists(st.integers(1, 50), max_size=5))
def test_arbitrary_bytes_give_frames_or_a_frame_error(data: bytes, sizes: list[int]) -> None:
    decoder = FrameDecoder(LIMITS)
    try:
        feed_in_chunks(decoder, data, sizes)
        decoder.finish()
    except FrameError:
        with pytest.raises(FrameError):
            decoder.feed(b"")


@given(
    st.integers(0, 3),
    st.builds(
        head,
        length=st.one_of(st.integers(0, 2**32 - 1), st.integers(50, 70)),
        version=st.integers(0, 3),
        kind=st.integers(0, 8),
        header_length=st.one_of(st.integers(0, 20), st.integers(0, 65_535)),
    ),
    st.integers(1, 64),
)
def test_a_fault_is_the_same_after_the_same_frames_however_the_bytes_come(
    good: int, bad: bytes, size: int
) -> None:
    stream = seal(payload=b"x") * good + bad + bytes(80)

    def outcome(sizes: list[int]) -> tuple[int, str]:
        decoder, frames = FrameDecoder(LIMITS), 0
        for chunk in range(0, len(stream), sizes[0]):
            try:
                frames += len(decoder.feed(stream[chunk : chunk + sizes[0]]))
            except FrameError:
                break
        return frames, str(decoder.fault)

    assert outcome([size]) == outcome([len(stream)])


@pytest.mark.contract("SEC-IPC-05", "IPC-INT-06")
def test_an_oversized_frame_is_refused_from_its_first_eight_bytes() -> None:
    with pytest.raises(OversizeFrameError) as caught:
        FrameDecoder(LIMITS).feed(head(length=200_000 - 4 + 1))
    assert (caught.value.size, caught.value.limit) == (200_001, 200_000)
    assert caught.value.category == "oversize"


@pytest.mark.contract("SEC-IPC-05")
def test_an_oversized_frame_takes_no_memory() -> None:
    decoder = FrameDecoder(LIMITS)
    prefix = head(length=2**32 - 1)
    tracemalloc.start()
    try:
        with pytest.raises(OversizeFrameError):
            decoder.feed(prefix)
        assert tracemalloc.get_traced_memory()[1] < 20_000
    finally:
        tracemalloc.stop()


def test_a_frame_at_the_limit_passes() -> None:
    payload = bytes(LIMITS.max_frame_bytes - PREFIX_BYTES)
    [frame] = FrameDecoder(LIMITS).feed(seal(payload=payload))
    assert len(frame.raw) == LIMITS.max_frame_bytes


def test_limits_for_a_payload_admit_it_under_the_largest_header() -> None:
    limits = FrameLimits.for_payload(5_000, 300)
    [frame] = FrameDecoder(limits).feed(seal(header=bytes(300), payload=bytes(5_000)))
    assert len(frame.payload) == 5_000


def test_a_long_header_is_refused_from_the_first_eight_bytes() -> None:
    with pytest.raises(OversizeHeaderError) as caught:
        FrameDecoder(LIMITS).feed(head(length=5_000, header_length=1_001))
    assert (caught.value.size, caught.value.limit, caught.value.category) == (
        1_001,
        1_000,
        "oversize",
    )


@pytest.mark.contract("SEC-IPC-06")
@pytest.mark.parametrize("kind", [0, 9, 255])
def test_an_unknown_kind_is_refused(kind: int) -> None:
    with pytest.raises(UnsupportedKindError) as caught:
        FrameDecoder(LIMITS).feed(head(kind=kind))
    assert (caught.value.kind, caught.value.category) == (kind, "kind")


@pytest.mark.parametrize("version", [0, 2, 255])
def test_an_unknown_version_is_refused_before_anything_else_is_read(version: int) -> None:
    with pytest.raises(UnsupportedVersionError) as caught:
        FrameDecoder(LIMITS).feed(head(2**32 - 1, version, 99, 65_535))
    assert (caught.value.version, caught.value.supported) == (version, 1)
    assert caught.value.category == "version"


@pytest.mark.contract("SEC-IPC-02b")
@pytest.mark.parametrize("length", [0, 28, 59])
def test_a_frame_too_short_to_hold_a_signature_is_refused(length: int) -> None:
    with pytest.raises(FrameTooShortError) as caught:
        FrameDecoder(LIMITS).feed(head(length=length))
    assert (caught.value.length, caught.value.category) == (length, "malformed")


def test_a_header_longer_than_its_frame_is_refused() -> None:
    with pytest.raises(HeaderOverrunError) as caught:
        FrameDecoder(LIMITS).feed(head(length=70, header_length=11))
    assert (caught.value.header_length, caught.value.room) == (11, 10)
    assert caught.value.category == "malformed"


def test_an_end_at_every_byte_within_a_frame_is_a_truncation() -> None:
    stream = seal(header=b"head", payload=b"body")
    for cut in range(1, len(stream)):
        decoder = FrameDecoder(LIMITS)
        assert decoder.feed(stream[:cut]) == []
        assert not decoder.at_boundary()
        with pytest.raises(TruncatedFrameError) as caught:
            decoder.finish()
        assert caught.value.received == cut
        assert caught.value.expected == (len(stream) if cut >= 8 else None)


def test_the_end_of_a_large_frame_in_the_middle_is_a_truncation() -> None:
    decoder = FrameDecoder(LIMITS)
    decoder.feed(seal(payload=bytes(100_000))[:70_000])
    with pytest.raises(TruncatedFrameError) as caught:
        decoder.finish()
    assert (caught.value.received, caught.value.expected) == (70_000, 100_064)


def test_the_frames_before_a_fault_are_returned_and_the_fault_is_raised_next() -> None:
    decoder = FrameDecoder(LIMITS)
    [frame] = decoder.feed(seal(payload=b"good") + head(kind=99))
    assert bytes(frame.payload) == b"good"
    assert isinstance(decoder.fault, UnsupportedKindError)
    with pytest.raises(UnsupportedKindError):
        decoder.buffer()


def test_a_failed_decoder_raises_the_same_error_at_every_call() -> None:
    decoder = FrameDecoder(LIMITS)
    with pytest.raises(FrameError) as first:
        decoder.feed(head(version=9))
    for call in (
        decoder.buffer,
        decoder.finish,
        lambda: decoder.advance(0),
        lambda: decoder.feed(b"x"),
    ):
        with pytest.raises(FrameError) as again:
            call()
        assert again.value is first.value


def test_many_small_frames_are_found_in_one_receive() -> None:
    stream = seal(payload=b"ack") * 100
    decoder = FrameDecoder(LIMITS)
    decoder.buffer()[: len(stream)] = stream
    assert len(decoder.advance(len(stream))) == 100


def test_the_rest_of_a_large_frame_is_received_in_place() -> None:
    """The buffer offered ends where the frame does, and is the memory of the frame itself."""
    stream = seal(payload=bytes(100_000))
    decoder = FrameDecoder(LIMITS)
    decoder.feed(stream[:64])
    target = decoder.buffer()
    assert len(target) == len(stream) - 64
    target[:] = stream[64:]
    [frame] = decoder.advance(len(target))
    assert target.obj is frame.raw
    assert frame.payload.obj is frame.raw


def test_a_decoder_for_small_frames_offers_no_more_room_than_one_of_them() -> None:
    assert len(FrameDecoder(FrameLimits(336, 256)).buffer()) == 336


def test_frames_do_not_share_memory_with_what_comes_later() -> None:
    decoder = FrameDecoder(LIMITS)
    [first] = decoder.feed(seal(payload=b"first"))
    decoder.feed(seal(payload=b"other"))
    assert bytes(first.payload) == b"first"


@pytest.mark.parametrize("count", [-1, 10**9])
def test_an_impossible_count_is_the_callers_error(count: int) -> None:
    with pytest.raises(ValueError, match="cannot have been written"):
        FrameDecoder(LIMITS).advance(count)


@pytest.mark.parametrize("limits", [(63, 0), (2**32 + 4, 0), (True, 0), (100, -1), (100, 65_536)])
def test_impossible_limits_are_refused(limits: tuple[int, int]) -> None:
    with pytest.raises(InvalidSettingError):
        FrameLimits(*limits)


def test_the_repr_of_a_frame_shows_sizes_only() -> None:
    [frame] = FrameDecoder(LIMITS).feed(seal(header=b"route", payload=b"customer"))
    assert repr(frame) == "<WireFrame BATCH header 5 B payload 8 B>"


def test_the_wire_format_is_the_documented_one() -> None:
    """Byte for byte, made here by hand from the README's table."""
    raw = seal(FrameKind.END, b"hd", b"body")
    assert raw[:8] == bytes([0, 0, 0, 66, 1, 4, 0, 2])
    assert raw[8:16] == (7).to_bytes(8, "big")
    assert raw[64:] == b"hdbody"


def test_the_frames_before_a_fault_are_given_though_more_came_than_the_buffer_holds() -> None:
    decoder = FrameDecoder(FrameLimits(max_frame_bytes=100, max_header_bytes=10))
    [frame] = decoder.feed(seal(payload=b"x") + head(version=9) + bytes(100))
    assert bytes(frame.payload) == b"x"
    with pytest.raises(UnsupportedVersionError):
        decoder.feed(b"")
