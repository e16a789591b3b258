"""Sealing and verifying: only what this channel's sender signed, fresh and once, is accepted."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_transport import (
    Channel,
    ExpiredFrameError,
    FrameDecoder,
    FrameError,
    FrameKind,
    FrameLimits,
    FrameRefusedError,
    InvalidSettingError,
    InvalidSignatureError,
    OversizeFrameError,
    OversizeHeaderError,
    ReplayedNonceError,
    ReplayGuard,
    Secret,
    Signer,
    Verifier,
    WireFrame,
)

if TYPE_CHECKING:
    from conftest import Clock

CHANNEL = Channel("run-1", "features/0/1", "policy/0/1")
KEY = Secret(b"0123456789abcdef" * 2)
TTL_SECONDS = 30.0
TTL_NS = 30_000_000_000
NOW = 1_000_000_000_000


def make_verifier(
    channel: Channel = CHANNEL, key: Secret = KEY, now_ns: int = NOW, capacity: int = 1_000
) -> Verifier:
    guard = ReplayGuard(ttl_seconds=TTL_SECONDS, capacity=capacity)
    return Verifier(channel, key, ttl_seconds=TTL_SECONDS, guard=guard, clock=lambda: now_ns)


def make_signer(channel: Channel = CHANNEL, key: Secret = KEY, now_ns: int = NOW) -> Signer:
    return Signer(channel, key, clock=lambda: now_ns)


def sealed(signer: Signer, header: bytes = b"route", payload: bytes = b"records") -> bytes:
    prefix, body = signer.seal(FrameKind.BATCH, header, payload)
    return prefix + bytes(body)


def decoded(raw: bytes) -> WireFrame:
    [frame] = FrameDecoder(FrameLimits()).feed(raw)
    return frame


def refused(raw: bytes) -> bool:
    """Whether no frame of these bytes, which end here, is accepted."""
    decoder, verifier = FrameDecoder(FrameLimits()), make_verifier()
    try:
        frames = decoder.feed(raw)
        for frame in frames:
            verifier.verify(frame)
        decoder.finish()
    except (FrameError, FrameRefusedError):
        return True
    return False


@pytest.mark.contract("SEC-IPC-01")
@given(st.binary(max_size=200), st.binary(max_size=2_000), st.sampled_from(FrameKind))
def test_what_the_sender_sealed_is_accepted(header: bytes, payload: bytes, kind: FrameKind) -> None:
    prefix, body = make_signer().seal(kind, header, payload)
    frame = decoded(prefix + bytes(body))
    make_verifier().verify(frame)
    assert (frame.kind, frame.header, bytes(frame.payload)) == (kind, header, payload)


@pytest.mark.contract("SEC-IPC-02", "IPC-INT-05")
def test_every_single_bit_flip_of_a_frame_is_refused() -> None:
    raw = sealed(make_signer())
    assert not refused(raw)
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        assert refused(bytes(flipped)), f"bit {bit}"


@pytest.mark.contract("SEC-IPC-02", "IPC-INT-05")
@given(st.binary(max_size=100), st.binary(max_size=500), st.data())
def test_a_bit_flip_anywhere_in_any_frame_is_refused(
    header: bytes, payload: bytes, data: st.DataObject
) -> None:
    raw = bytearray(sealed(make_signer(), header, payload))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    assert refused(bytes(raw))


@pytest.mark.contract("SEC-IPC-02")
@pytest.mark.parametrize(
    "signature",
    [b"\xff" * 32, "é".encode() * 16, b"0" * 32, b"short".ljust(32, b"\0")],
    ids=["non-ascii", "utf-8", "ascii", "short and padded"],
)
def test_a_wrong_signature_has_always_the_same_category(signature: bytes) -> None:
    raw = bytearray(sealed(make_signer()))
    raw[32:64] = signature
    with pytest.raises(InvalidSignatureError) as caught:
        make_verifier().verify(decoded(bytes(raw)))
    assert caught.value.category == "signature"


@pytest.mark.contract("SEC-IPC-02b")
def test_a_frame_without_signature_is_refused() -> None:
    raw = bytearray(sealed(make_signer()))
    raw[32:64] = bytes(32)
    with pytest.raises(InvalidSignatureError):
        make_verifier().verify(decoded(bytes(raw)))


@pytest.mark.contract("SEC-IPC-02", "SEC-IPC-02b")
@pytest.mark.parametrize("kept", [0, 1, 16, 31])
def test_a_frame_whose_signature_is_cut_off_or_shortened_is_refused(kept: int) -> None:
    raw = sealed(make_signer())
    cut = raw[: 32 + kept] + raw[64:]
    length = (len(cut) - 4).to_bytes(4, "big")
    assert refused(length + cut[4:])


@pytest.mark.parametrize(
    "other",
    [
        CHANNEL.reverse(),
        Channel("run-2", CHANNEL.sender, CHANNEL.receiver),
        Channel(CHANNEL.session, CHANNEL.sender, "policy/1/1"),
        Channel(CHANNEL.session, "features/0/2", CHANNEL.receiver),
    ],
    ids=["direction", "session", "receiver", "incarnation"],
)
def test_a_frame_of_another_channel_is_refused_under_the_same_key(other: Channel) -> None:
    with pytest.raises(InvalidSignatureError) as caught:
        make_verifier().verify(decoded(sealed(make_signer(other))))
    named = caught.value
    assert Channel(named.session, named.sender, named.receiver) == CHANNEL


def test_a_frame_under_another_key_is_refused() -> None:
    with pytest.raises(InvalidSignatureError):
        make_verifier().verify(decoded(sealed(make_signer(key=Secret.generate()))))


names = st.text(min_size=1, max_size=6)


@given(st.tuples(names, names, names), st.tuples(names, names, names))
def test_no_two_channels_have_the_same_binding(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    if one[1] != one[2] and other[1] != other[2]:
        same = Channel(*one).binding() == Channel(*other).binding()
        assert same == (one == other)


@pytest.mark.contract("SEC-IPC-03")
@pytest.mark.parametrize("age_ns", [TTL_NS, 0, -TTL_NS])
def test_a_time_at_the_edge_of_the_ttl_is_accepted(age_ns: int) -> None:
    make_verifier().verify(decoded(sealed(make_signer(now_ns=NOW - age_ns))))


@pytest.mark.contract("SEC-IPC-03")
@pytest.mark.parametrize("age_ns", [TTL_NS + 1, -TTL_NS - 1, 10**12])
def test_a_time_outside_the_ttl_is_refused_past_or_future(age_ns: int) -> None:
    with pytest.raises(ExpiredFrameError) as caught:
        make_verifier().verify(decoded(sealed(make_signer(now_ns=NOW - age_ns))))
    assert caught.value.category == "expired"
    assert caught.value.age_seconds == age_ns / 1e9


@pytest.mark.contract("SEC-IPC-04")
def test_a_frame_is_accepted_once() -> None:
    raw, verifier = sealed(make_signer()), make_verifier()
    verifier.verify(decoded(raw))
    with pytest.raises(ReplayedNonceError) as caught:
        verifier.verify(decoded(raw))
    assert caught.value.category == "replay"


@pytest.mark.contract("SEC-IPC-03", "SEC-IPC-04")
def test_a_replay_is_refused_at_every_moment_before_and_after_the_ttl(clock: Clock) -> None:
    guard = ReplayGuard(ttl_seconds=TTL_SECONDS, capacity=10)
    verifier = Verifier(CHANNEL, KEY, ttl_seconds=TTL_SECONDS, guard=guard, clock=clock)
    signer = Signer(CHANNEL, KEY, clock=clock)
    raw = sealed(signer)
    verifier.verify(decoded(raw))
    for seconds, error in [
        (30, ReplayedNonceError),
        (1e-9, ExpiredFrameError),
        (900, ExpiredFrameError),
    ]:
        clock.advance(seconds)
        with pytest.raises(error):
            verifier.verify(decoded(raw))
        verifier.verify(decoded(sealed(signer)))


@pytest.mark.contract("SEC-IPC-04")
def test_a_replay_is_refused_when_the_clock_was_set_back_after_its_nonce_was_forgotten(
    clock: Clock,
) -> None:
    guard = ReplayGuard(ttl_seconds=TTL_SECONDS, capacity=10)
    verifier = Verifier(CHANNEL, KEY, ttl_seconds=TTL_SECONDS, guard=guard, clock=clock)
    signer = Signer(CHANNEL, KEY, clock=clock)
    raw = sealed(signer)
    verifier.verify(decoded(raw))
    clock.advance(100)
    verifier.verify(decoded(sealed(signer)))
    clock.advance(-100)
    with pytest.raises(ExpiredFrameError):
        verifier.verify(decoded(raw))


def test_a_forged_frame_leaves_no_trace_in_the_guard() -> None:
    """The signature is judged first: a stranger can neither fill the guard nor burn a nonce."""
    raw, verifier = sealed(make_signer()), make_verifier(capacity=1)
    forged = bytearray(raw)
    forged[-1] ^= 1
    with pytest.raises(InvalidSignatureError):
        verifier.verify(decoded(bytes(forged)))
    verifier.verify(decoded(raw))


def test_an_expired_frame_with_a_bad_signature_is_a_bad_signature() -> None:
    raw = bytearray(sealed(make_signer(now_ns=0)))
    raw[-1] ^= 1
    with pytest.raises(InvalidSignatureError):
        make_verifier().verify(decoded(bytes(raw)))


def test_a_guard_that_forgets_sooner_than_frames_expire_is_refused() -> None:
    with pytest.raises(InvalidSettingError):
        Verifier(CHANNEL, KEY, ttl_seconds=30, guard=ReplayGuard(ttl_seconds=29.9, capacity=10))


@pytest.mark.parametrize("ttl", [0, -1, float("inf"), float("nan"), True])
def test_an_impossible_ttl_is_refused(ttl: float) -> None:
    with pytest.raises(InvalidSettingError):
        ReplayGuard(ttl_seconds=ttl, capacity=10)


def test_the_signature_is_the_documented_one() -> None:
    """Computed here by hand from the README, with nothing of the package."""
    raw = sealed(make_signer(), b"hd", b"body")
    binding = b"".join(
        len(name).to_bytes(4, "big") + name.encode()
        for name in (CHANNEL.session, CHANNEL.sender, CHANNEL.receiver)
    )
    signed = b"sk-transport/1 frame\0" + binding + raw[:32] + b"hdbody"
    assert raw[32:64] == hmac.new(KEY.reveal(), signed, hashlib.sha256).digest()


def test_the_payload_is_not_copied_when_sealed() -> None:
    payload = bytearray(100_000)
    _, body = make_signer().seal(FrameKind.BATCH, b"", payload)
    assert isinstance(body, memoryview)
    assert body.obj is payload


def test_a_payload_of_wider_items_is_sent_as_its_bytes() -> None:
    wide = memoryview(bytes(range(16))).cast("I")
    prefix, body = make_signer().seal(FrameKind.BATCH, b"", wide)
    frame = decoded(prefix + bytes(body))
    make_verifier().verify(frame)
    assert frame.payload == bytes(range(16))


def test_what_the_receiver_would_refuse_is_refused_when_sealed() -> None:
    signer = Signer(CHANNEL, KEY, limits=FrameLimits(max_frame_bytes=1_000, max_header_bytes=10))
    with pytest.raises(OversizeHeaderError):
        signer.seal(FrameKind.BATCH, bytes(11))
    with pytest.raises(OversizeFrameError) as caught:
        signer.seal(FrameKind.BATCH, b"", bytes(937))
    assert (caught.value.size, caught.value.limit) == (1_001, 1_000)


def test_nonces_of_a_signer_and_of_two_signers_differ() -> None:
    signers = [make_signer(), make_signer()]
    nonces = [decoded(sealed(signer)).nonce for signer in signers * 500]
    assert len(set(nonces)) == len(nonces)
    assert {len(nonce) for nonce in nonces} == {16}


def test_a_nonce_source_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(InvalidSettingError):
        Signer(CHANNEL, KEY, nonces=lambda: b"short").seal(FrameKind.BATCH, b"")


@pytest.mark.parametrize(
    "names", [("", "a", "b"), ("s", "", "b"), ("s", "a", ""), ("s", "a", "a"), ("s", "\ud800", "b")]
)
def test_a_channel_without_proper_names_is_refused(names: tuple[str, str, str]) -> None:
    with pytest.raises(InvalidSettingError):
        Channel(*names)


@pytest.mark.contract("SEC-IPC-03")
@pytest.mark.parametrize("age_ns", [TTL_NS + 1, -TTL_NS - 1])
def test_the_verifiers_ttl_decides_where_the_guard_remembers_longer(age_ns: int) -> None:
    guard = ReplayGuard(ttl_seconds=TTL_SECONDS * 10, capacity=10)
    verifier = Verifier(CHANNEL, KEY, ttl_seconds=TTL_SECONDS, guard=guard, clock=lambda: NOW)
    with pytest.raises(ExpiredFrameError) as caught:
        verifier.verify(decoded(sealed(make_signer(now_ns=NOW - age_ns))))
    assert caught.value.ttl_seconds == TTL_SECONDS
