"""Sealing and opening: what is accepted, and everything that is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sk_control import (
    ControlMessage,
    ControlSettings,
    Direction,
    Heartbeat,
    MessageKind,
    MessageRefusedError,
    Progress,
    RefusalCode,
    StartWork,
    Stop,
    VersionMismatchError,
)
from sk_control._control_keys import DirectionKeys, control_keys, token_keys
from sk_control._pb import control_pb2 as pb
from sk_control._seal import Opener, Sealer, seal_and_open, sign
from sk_control._signed_message import SignedMessage, parse_signed
from sk_control.testing import ManualClock
from sk_transport import KeyMaterial, Secret

R = RefusalCode
MESSAGE = Heartbeat(Progress(1, 2, 3, "working", "line 7"))
WORKER_KEYS = control_keys(KeyMaterial.generated(), "session-1", "w-1")


def ends(
    clock: ManualClock, keys: DirectionKeys = WORKER_KEYS, **changes: Any
) -> tuple[Sealer, Opener]:
    """Return the worker's sealer and the supervisor's opener."""
    common: dict[str, Any] = {
        "versions": (1,),
        "session_id": "session-1",
        "worker_id": "w-1",
        "settings": ControlSettings(ttl_seconds=30, nonce_capacity=100),
        "clock": clock,
        **changes,
    }
    sealer, _ = seal_and_open(Direction.TO_SUPERVISOR, keys, **common)
    _, opener = seal_and_open(Direction.TO_WORKER, keys, **common)
    return sealer, opener


def opened(opener: Opener, raw: bytes) -> ControlMessage:
    """Open signed bytes as they travel."""
    return opener.verify(parse_signed(raw))


def refused(opener: Opener, raw: bytes) -> RefusalCode:
    """Open, which must fail; return the code."""
    with pytest.raises(MessageRefusedError) as caught:
        opened(opener, raw)
    return caught.value.code


def resigned(raw: bytes, key: Secret, **changes: Any) -> bytes:
    """Change fields of a message and sign it again."""
    signed = replace(parse_signed(raw), **changes)
    return replace(signed, signature=sign(signed, key)).to_bytes()


signed_messages = st.builds(
    SignedMessage,
    protocol_version=st.integers(0, 3),
    session_id=st.text("ab", max_size=3),
    worker_id=st.text("ab", max_size=3),
    direction=st.integers(0, 2),
    kind=st.integers(0, 11),
    time_ns=st.integers(0, 3),
    nonce=st.binary(max_size=3),
    body=st.binary(max_size=3),
)


@given(signed_messages, signed_messages)
def test_no_two_messages_share_their_signed_bytes(one: SignedMessage, other: SignedMessage) -> None:
    """Moving a byte from one field to its neighbour changes what is signed."""
    assert (one.canonical() == other.canonical()) == (one == other)


def test_a_sealed_message_opens_once_and_is_the_same(clock: ManualClock) -> None:
    """The holder of the same keys reads what was sealed."""
    sealer, opener = ends(clock)
    assert opened(opener, sealer.seal(MESSAGE)) == MESSAGE


@pytest.mark.contract("P5PRE-CTRL-03")
def test_a_replay_is_refused(clock: ManualClock) -> None:
    """The same bytes a second time have the code of a replay."""
    sealer, opener = ends(clock)
    raw = sealer.seal(MESSAGE)
    opened(opener, raw)
    assert refused(opener, raw) is R.REPLAYED_NONCE


@pytest.mark.contract("P5PRE-CTRL-03")
def test_a_replay_is_refused_until_its_time_is_out_and_then_too(clock: ManualClock) -> None:
    """At the end of the TTL the nonce is still known; behind it the time refuses it."""
    sealer, opener = ends(clock)
    raw = sealer.seal(MESSAGE)
    opened(opener, raw)
    clock.advance(30)
    assert refused(opener, raw) is R.REPLAYED_NONCE
    clock.advance(0.001)
    assert refused(opener, raw) is R.OUTSIDE_TTL


@pytest.mark.contract("P5PRE-CTRL-03")
@pytest.mark.parametrize(("seconds", "accepted"), [(30, True), (30.001, False)])
def test_a_message_is_good_for_its_ttl(clock: ManualClock, seconds: float, accepted: bool) -> None:
    """To the nanosecond of the TTL, and not behind it."""
    sealer, opener = ends(clock)
    raw = sealer.seal(MESSAGE)
    clock.advance(seconds)
    if accepted:
        assert opened(opener, raw) == MESSAGE
    else:
        assert refused(opener, raw) is R.OUTSIDE_TTL


@pytest.mark.contract("P5PRE-CTRL-03")
def test_a_message_from_the_future_is_refused(clock: ManualClock) -> None:
    """A time further ahead than the TTL is as wrong as one behind it."""
    sealer, opener = ends(clock)
    clock.advance(31)
    raw = sealer.seal(MESSAGE)
    clock.advance(-31)
    assert refused(opener, raw) is R.OUTSIDE_TTL


def test_a_full_nonce_cache_fails_closed_and_recovers(clock: ManualClock) -> None:
    """More first messages than can be remembered are refused until the earliest ones expire."""
    sealer, opener = ends(clock, settings=ControlSettings(ttl_seconds=30, nonce_capacity=2))
    opened(opener, sealer.seal(MESSAGE))
    opened(opener, sealer.seal(MESSAGE))
    assert refused(opener, sealer.seal(MESSAGE)) is R.NONCE_CACHE_FULL
    clock.advance(30.001)
    assert opened(opener, sealer.seal(MESSAGE)) == MESSAGE


@pytest.mark.contract("P5PRE-CTRL-03")
@given(deliveries=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 60)), max_size=60))
def test_behind_the_first_message_none_is_accepted_twice_or_out_of_order_at_any_age(
    deliveries: list[tuple[int, int]],
) -> None:
    """Each delivery is of one of the sealed messages, some seconds later."""
    clock = ManualClock()
    sealer, opener = ends(clock)
    opener = opener.following(parse_signed(sealer.seal(MESSAGE)))
    sealed, accepted = [sealer.seal(MESSAGE) for _ in range(13)], list[int]()
    for number, seconds in deliveries:
        clock.advance(seconds)
        if number > max(accepted, default=-1):
            assert opened(opener, sealed[number]) == MESSAGE
            accepted.append(number)
        else:
            assert refused(opener, sealed[number]) is R.REPLAYED_NONCE


@pytest.mark.contract("P5PRE-CTRL-03")
def test_another_signer_with_the_same_key_does_not_follow(clock: ManualClock) -> None:
    """Nonces of two sealers do not rise together, so the second cannot continue for the first."""
    sealer, opener = ends(clock)
    opener = opener.following(parse_signed(sealer.seal(MESSAGE)))
    assert refused(opener, ends(clock)[0].seal(MESSAGE)) is R.REPLAYED_NONCE


@pytest.mark.contract("P5PRE-CTRL-03")
@pytest.mark.parametrize("length", [0, 1, 31, 33])
def test_a_signature_of_another_length_is_refused(clock: ManualClock, length: int) -> None:
    """Missing, short and long signatures fail as wrong ones do."""
    sealer, opener = ends(clock)
    signed = parse_signed(sealer.seal(MESSAGE))
    assert (
        refused(opener, replace(signed, signature=b"\xe9" * length).to_bytes()) is R.BAD_SIGNATURE
    )


@pytest.mark.contract("P5PRE-CTRL-03")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_one_changed_bit_is_refused(clock: ManualClock, data: st.DataObject) -> None:
    """Wherever it is, the message is not accepted, and the true one is afterwards."""
    sealer, opener = ends(clock)
    raw = sealer.seal(MESSAGE)
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    damaged = bytearray(raw)
    damaged[bit // 8] ^= 1 << bit % 8
    assert isinstance(refused(opener, bytes(damaged)), RefusalCode)
    assert opened(opener, raw) == MESSAGE


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_garbage_is_refused_with_a_typed_error(clock: ManualClock, raw: bytes) -> None:
    """No bytes raise anything but MessageRefusedError."""
    assert isinstance(refused(ends(clock)[1], raw), RefusalCode)


def test_every_truncation_is_refused(clock: ManualClock) -> None:
    """Cut off after any byte, a message is none."""
    sealer, opener = ends(clock)
    raw = sealer.seal(MESSAGE)
    for length in range(len(raw)):
        refused(opener, raw[:length])


def test_unsigned_fields_are_refused(clock: ManualClock) -> None:
    """What the signature does not cover cannot ride along."""
    sealer, opener = ends(clock)
    assert refused(opener, sealer.seal(MESSAGE) + b"\xf8\x07\x01") is R.UNSIGNED_FIELDS


@pytest.mark.contract("P5PRE-CTRL-06")
def test_a_message_for_one_worker_is_refused_by_another(clock: ManualClock) -> None:
    """The worker's id is in the signed bytes and in the derivation of its keys."""
    material = KeyMaterial.generated()
    sealer, _ = ends(clock, control_keys(material, "session-1", "w-1"))
    other_keys = control_keys(material, "session-1", "w-2")
    _, opener = ends(clock, other_keys, worker_id="w-2")
    raw = sealer.seal(MESSAGE)
    assert refused(opener, raw) is R.WRONG_WORKER
    renamed = replace(parse_signed(raw), worker_id="w-2").to_bytes()
    assert refused(opener, renamed) is R.BAD_SIGNATURE


def test_a_message_reflected_to_its_sender_is_refused(clock: ManualClock) -> None:
    """What the worker sent is refused by the worker, and so is it under the other direction."""
    sealer, opener = ends(clock)
    towards_worker = replace(
        opener, direction=Direction.TO_WORKER, key=WORKER_KEYS[Direction.TO_WORKER]
    )
    raw = sealer.seal(MESSAGE)
    assert refused(towards_worker, raw) is R.WRONG_DIRECTION
    turned = replace(parse_signed(raw), direction=Direction.TO_WORKER).to_bytes()
    assert refused(towards_worker, turned) is R.BAD_SIGNATURE


def test_a_message_of_another_session_is_refused(clock: ManualClock) -> None:
    """A run that ended yesterday on the same port has no say today."""
    sealer, _ = ends(clock, session_id="session-0")
    assert refused(ends(clock)[1], sealer.seal(MESSAGE)) is R.WRONG_SESSION


def test_another_protocol_version_is_refused_by_name(clock: ManualClock) -> None:
    """Both versions are in the error."""
    sealer, _ = ends(clock, versions=(2,))
    with pytest.raises(VersionMismatchError) as caught:
        opened(ends(clock)[1], sealer.seal(MESSAGE))
    assert (caught.value.ours, caught.value.theirs) == ((1,), (2,))
    assert "(1,)" in str(caught.value)
    assert "(2,)" in str(caught.value)


@pytest.mark.parametrize("message", [StartWork(), Stop(True)])
def test_a_worker_cannot_give_the_supervisor_orders(
    clock: ManualClock, message: StartWork | Stop
) -> None:
    """A kind that travels the other way is refused though its signature is right."""
    sealer, opener = ends(clock)
    assert refused(opener, sealer.seal(message)) is R.WRONG_DIRECTION


def test_a_body_cannot_pass_as_another_kind(clock: ManualClock) -> None:
    """Some kinds have the same body (`stop_ack` and `bundle_ack` none); but the kind is signed."""
    sealer, opener = ends(clock)
    raw = replace(parse_signed(sealer.seal(MESSAGE)), kind=MessageKind.PROGRESS).to_bytes()
    assert refused(opener, raw) is R.BAD_SIGNATURE


def test_an_authentic_message_of_unknown_kind_or_garbled_body_is_refused(
    clock: ManualClock,
) -> None:
    """A right signature does not make a right message."""
    sealer, opener = ends(clock)
    key = WORKER_KEYS[Direction.TO_SUPERVISOR]
    assert refused(opener, resigned(sealer.seal(MESSAGE), key, kind=99)) is R.UNKNOWN_KIND
    garbled = resigned(sealer.seal(MESSAGE), key, body=b"\xff\xff\xff")
    assert refused(opener, garbled) is R.UNDECODABLE


def test_a_nonce_of_another_length_is_refused(clock: ManualClock) -> None:
    """A short nonce may repeat."""
    sealer, opener = ends(clock)
    key = WORKER_KEYS[Direction.TO_SUPERVISOR]
    assert refused(opener, resigned(sealer.seal(MESSAGE), key, nonce=b"1")) is R.BAD_FIELD


def test_a_refused_message_costs_no_nonce(clock: ManualClock) -> None:
    """Strangers cannot fill the cache: only what is signed enters it."""
    sealer, opener = ends(clock, settings=ControlSettings(nonce_capacity=1))
    for _ in range(5):
        forged = replace(parse_signed(sealer.seal(MESSAGE)), signature=b"\0" * 32)
        assert refused(opener, forged.to_bytes()) is R.BAD_SIGNATURE
    assert opened(opener, sealer.seal(MESSAGE)) == MESSAGE


def test_every_worker_direction_session_and_purpose_has_its_own_key() -> None:
    """No two of them coincide, from one token or from one secret."""
    token, material = Secret(bytes(32)), KeyMaterial.generated()
    keys = [
        derive[way].reveal()
        for session in ("s1", "s2")
        for worker in ("w1", "w2")
        for derive in (token_keys(token, session, worker), control_keys(material, session, worker))
        for way in Direction
    ]
    assert len(set(keys)) == len(keys) == 16


def test_token_keys_are_hkdf_expand() -> None:
    """HKDF-Expand (RFC 5869) of another library gives the same keys from the same labels."""
    token = Secret.generate()
    parts = (b"sk.control.v1 token", b"session-1", b"w-1", bytes([Direction.TO_WORKER]))
    info = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    expected = HKDFExpand(SHA256(), 32, info).derive(token.reveal())
    assert token_keys(token, "session-1", "w-1")[Direction.TO_WORKER].reveal() == expected


def test_the_signed_message_is_that_of_the_proto(clock: ManualClock) -> None:
    """A reader in any language finds the fields where control.proto says."""
    sealer, _ = ends(clock)
    wire = pb.SignedMessage.FromString(sealer.seal(StartWork()))
    assert (wire.protocol_version, wire.session_id, wire.worker_id) == (1, "session-1", "w-1")
    assert wire.direction == pb.DIRECTION_TO_SUPERVISOR
    assert wire.kind == pb.MESSAGE_KIND_START_WORK
    assert (wire.time_ns, len(wire.nonce), len(wire.signature)) == (clock.now_ns, 16, 32)
