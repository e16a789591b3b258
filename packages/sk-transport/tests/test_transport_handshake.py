"""The handshake, with no socket: who is admitted, and who is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_transport import (
    Buffer,
    Channel,
    ClientHandshake,
    ExpiredFrameError,
    FrameDecoder,
    FrameKind,
    FrameLimits,
    HandshakeLimits,
    InvalidSettingError,
    InvalidSignatureError,
    LinkKeys,
    MalformedHandshakeError,
    OversizeFrameError,
    ReplayedNonceError,
    ReplayGuard,
    Secret,
    ServerHandshake,
    Signer,
    TransportError,
    UnexpectedKindError,
    UnknownPeerError,
    WireFrame,
)

LIMITS = HandshakeLimits()
SESSION, SERVER, CLIENT = "run-1", "hub", "policy/0/1"
FORTH = Channel(SESSION, CLIENT, SERVER)
KEYS = LinkKeys(Secret(b"to the server".ljust(32)), Secret(b"to the client".ljust(32)))
NOW = 1_000_000_000_000


def guard() -> ReplayGuard:
    return ReplayGuard(ttl_seconds=30, capacity=100)


def make_server(keys: LinkKeys = KEYS, session: str = SESSION) -> ServerHandshake:
    return ServerHandshake(
        LIMITS,
        {CLIENT: keys}.get,
        session=session,
        server=SERVER,
        ttl_seconds=30,
        guard=guard(),
        clock=lambda: NOW,
    )


def make_client(channel: Channel = FORTH, keys: LinkKeys = KEYS, now: int = NOW) -> ClientHandshake:
    return ClientHandshake(
        channel, keys, limits=LIMITS, ttl_seconds=30, guard=guard(), clock=lambda: now
    )


def decoded(parts: tuple[bytes, Buffer], limits: FrameLimits = LIMITS.frames) -> WireFrame:
    [frame] = FrameDecoder(limits).feed(parts[0] + bytes(parts[1]))
    return frame


def signed(
    kind: FrameKind,
    header: bytes,
    payload: bytes = b"",
    channel: Channel = FORTH,
    key: Secret = KEYS.to_server,
) -> WireFrame:
    signer = Signer(channel, key, clock=lambda: NOW)
    return decoded(signer.seal(kind, header, payload), FrameLimits())


def test_client_and_server_admit_each_other_and_go_on_with_their_keys() -> None:
    client, server = make_client(), make_server()
    peer = server.accept(decoded(client.hello()))
    verifier = client.finish(decoded(peer.reply))
    assert peer.identity == CLIENT
    verifier.verify(decoded(peer.signer.seal(FrameKind.CREDIT, b"5")))
    peer.verifier.verify(decoded(client.signer.seal(FrameKind.ACK, b"1")))


def test_a_single_key_serves_both_directions() -> None:
    key = Secret.generate()
    client = make_client(keys=key)  # type: ignore[arg-type]
    server = make_server(keys=key)  # type: ignore[arg-type]
    client.finish(decoded(server.accept(decoded(client.hello())).reply))


def test_the_welcome_has_the_size_that_the_client_expects() -> None:
    client = make_client()
    welcome = decoded(make_server().accept(decoded(client.hello())).reply)
    assert len(welcome.raw) == client.welcome_bytes


def test_a_stranger_is_refused() -> None:
    hello = make_client(Channel(SESSION, "stranger", SERVER)).hello()
    with pytest.raises(UnknownPeerError) as caught:
        make_server().accept(decoded(hello))
    assert (caught.value.identity, caught.value.category) == ("stranger", "identity")


@pytest.mark.contract("SEC-IPC-02")
def test_a_peer_with_another_key_is_refused() -> None:
    impostor = make_client(keys=LinkKeys(Secret.generate(), Secret.generate()))
    with pytest.raises(InvalidSignatureError):
        make_server().accept(decoded(impostor.hello()))


def test_a_peer_of_another_session_is_refused() -> None:
    hello = make_client(Channel("run-0", CLIENT, SERVER)).hello()
    with pytest.raises(InvalidSignatureError):
        make_server().accept(decoded(hello))


def test_a_peer_that_takes_the_servers_own_name_is_refused() -> None:
    with pytest.raises(UnknownPeerError):
        make_server().accept(signed(FrameKind.HELLO, SERVER.encode()))


@pytest.mark.contract("SEC-IPC-04")
def test_a_hello_is_heard_once() -> None:
    server, hello = make_server(), make_client().hello()
    server.accept(decoded(hello))
    with pytest.raises(ReplayedNonceError):
        server.accept(decoded(hello))


@pytest.mark.contract("SEC-IPC-03")
def test_an_old_hello_is_refused() -> None:
    hello = make_client(now=NOW - 31_000_000_000).hello()
    with pytest.raises(ExpiredFrameError):
        make_server().accept(decoded(hello))


@pytest.mark.contract("SEC-IPC-06")
@pytest.mark.parametrize("kind", [kind for kind in FrameKind if kind is not FrameKind.HELLO])
def test_anything_but_a_hello_first_is_refused_signed_or_not(kind: FrameKind) -> None:
    with pytest.raises(UnexpectedKindError) as caught:
        make_server().accept(signed(kind, CLIENT.encode()))
    assert (caught.value.received, caught.value.category) == (kind.name, "kind")


@pytest.mark.parametrize(
    ("header", "payload"),
    [(b"", b""), (b"\xff\xfe", b""), (b"x" * 257, b""), (CLIENT.encode(), b"more")],
    ids=["empty", "no utf-8", "long", "payload"],
)
def test_a_malformed_hello_is_refused(header: bytes, payload: bytes) -> None:
    with pytest.raises(MalformedHandshakeError) as caught:
        make_server().accept(signed(FrameKind.HELLO, header, payload))
    assert caught.value.category == "handshake"


@given(st.binary(max_size=300), st.binary(max_size=20))
def test_no_hello_of_whatever_content_raises_a_foreign_error(header: bytes, payload: bytes) -> None:
    key = Secret.generate()
    with pytest.raises(TransportError):
        make_server().accept(signed(FrameKind.HELLO, header, payload, key=key))


def test_a_stranger_cannot_make_the_server_keep_more_than_one_small_frame() -> None:
    decoder = FrameDecoder(LIMITS.frames)
    assert len(decoder.buffer()) == 64 + 256 + 16
    with pytest.raises(OversizeFrameError):
        decoder.feed((333).to_bytes(4, "big") + bytes([1, 1, 0, 0]))


BACK = FORTH.reverse()


def finish(kind: FrameKind, header: bytes, payload: bytes, **forged: object) -> None:
    client = make_client()
    client.hello()
    by = {"channel": BACK, "key": KEYS.to_client, **forged}
    client.finish(signed(kind, header, payload, **by))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("forged", "error"),
    [
        ({"key": Secret(b"another")}, InvalidSignatureError),
        ({"key": KEYS.to_server}, InvalidSignatureError),
        ({"channel": FORTH}, InvalidSignatureError),
        ({}, MalformedHandshakeError),
    ],
    ids=["another key", "the client's key", "reflected", "another hello's"],
)
def test_a_welcome_that_is_not_the_servers_answer_is_refused(
    forged: dict[str, object], error: type[TransportError]
) -> None:
    with pytest.raises(error):
        finish(FrameKind.WELCOME, SERVER.encode(), b"n" * 16, **forged)


def test_a_welcome_in_another_servers_name_is_refused() -> None:
    client = make_client()
    nonce = decoded(client.hello()).nonce
    welcome = signed(FrameKind.WELCOME, b"bub", nonce, BACK, KEYS.to_client)
    with pytest.raises(MalformedHandshakeError, match="another server"):
        client.finish(welcome)


def test_a_hello_thrown_back_at_its_sender_is_refused() -> None:
    client = make_client()
    with pytest.raises(UnexpectedKindError):
        client.finish(decoded(client.hello()))


@pytest.mark.parametrize("name", ["", "x" * 257, "\ud800"])
def test_a_name_that_no_handshake_can_carry_is_refused_at_once(name: str) -> None:
    with pytest.raises(InvalidSettingError):
        ServerHandshake(
            LIMITS, lambda _: None, session=SESSION, server=name, ttl_seconds=30, guard=guard()
        )


@pytest.mark.parametrize("values", [(0, 1.0, 1), (5000, 1.0, 1), (256, 0.0, 1), (256, 1.0, 0)])
def test_impossible_handshake_limits_are_refused(values: tuple[int, float, int]) -> None:
    with pytest.raises(InvalidSettingError):
        HandshakeLimits(*values)
