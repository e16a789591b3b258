"""What the blocking channel does over real loopback sockets, beside the claims of its contract."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from sk_transport import (
    Channel,
    ChannelClosedError,
    DeadlineError,
    FrameKind,
    HandshakeFailedError,
    InvalidSignatureError,
    OversizeFrameError,
    ReplayedNonceError,
    ReplayGuard,
    Secret,
    SecureChannel,
    SecureTcpTransport,
    Signer,
    UnexpectedKindError,
    UnknownPeerError,
    UnsupportedVersionError,
    Verifier,
    WireFrame,
)

if TYPE_CHECKING:
    from conftest import Link

SOON = 10.0  # seconds; a bound for what happens at once


@pytest.mark.contract("SEC-IPC-01b")
@pytest.mark.parametrize("size", [0, 1, 4_000, 100_000, 16 * 1024 * 1024])
def test_a_round_trip_preserves_payload_and_metadata(
    link: Link, pool: ThreadPoolExecutor, size: int
) -> None:
    payload = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    sent = pool.submit(link.client.send, FrameKind.BATCH, b"route", payload)
    frame = link.server.receive(SOON)
    sent.result(SOON)
    assert (frame.kind, frame.header) == (FrameKind.BATCH, b"route")
    assert bytes(frame.payload) == payload
    assert frame.time_ns == link.clock()


def test_a_send_that_the_other_end_does_not_take_counts_how_long_it_waits(
    link: Link, pool: ThreadPoolExecutor
) -> None:
    link.client.send(FrameKind.BATCH, b"small")
    assert link.client.send_waited_seconds == 0
    sent = pool.submit(link.client.send, FrameKind.BATCH, b"large", bytes(16 * 1024 * 1024))
    with pytest.raises(TimeoutError):
        sent.result(0.1)
    for _ in range(2):
        link.server.receive(SOON)
    sent.result(SOON)
    assert 0 < link.client.send_waited_seconds < SOON


def test_each_end_knows_the_others_proven_name(link: Link) -> None:
    assert (link.client.peer, link.server.peer) == ("hub", "policy/0/1")


@dataclass
class RawEnd:
    """The client's end without its channel: signs as it does, writes what a channel never would."""

    sock: socket.socket
    signer: Signer

    def sealed(self, kind: FrameKind = FrameKind.BATCH) -> bytes:
        return b"".join(self.signer.seal(kind, b"route", b"records"))


@pytest.fixture
def raw(link: Link, stack: ExitStack) -> RawEnd:
    detached = link.client.detach()
    detached.sock.setblocking(True)
    return RawEnd(stack.enter_context(detached.sock), detached.signer)


def send_forever(channel: SecureChannel, timeout: float | None = None) -> None:
    while True:
        channel.send(FrameKind.BATCH, b"", bytes(8 << 20), timeout)


@pytest.mark.contract("SEC-IPC-02", "IPC-INT-05")
def test_a_forged_frame_is_not_received_and_the_next_good_one_is(link: Link, raw: RawEnd) -> None:
    forger = Signer(raw.signer.channel, Secret.generate(), clock=link.clock)
    raw.sock.sendall(RawEnd(raw.sock, forger).sealed() + raw.sealed())
    with pytest.raises(InvalidSignatureError):
        link.server.receive(SOON)
    assert link.server.receive(SOON).header == b"route"
    assert link.server_side.rejects() == {"signature": 1}


@pytest.mark.contract("SEC-IPC-04")
def test_a_frame_that_was_delayed_is_received_on_an_open_link_and_once(
    link: Link, raw: RawEnd
) -> None:
    """An end that was suspended for longer than any TTL has done nothing wrong."""
    frame = raw.sealed()
    link.clock.advance(1000)
    raw.sock.sendall(frame + frame)
    assert link.server.receive(SOON).header == b"route"
    with pytest.raises(ReplayedNonceError):
        link.server.receive(SOON)
    assert link.server_side.rejects() == {"replay": 1}


@pytest.mark.contract("SEC-IPC-05", "IPC-INT-06")
def test_an_oversized_frame_is_refused_counted_once_and_ends_the_stream(
    link: Link, raw: RawEnd
) -> None:
    raw.sock.sendall(b"\xff\xff\xff\xff\x01\x03\0\0")
    for _ in range(3):
        with pytest.raises(OversizeFrameError):
            link.server.receive(SOON)
    assert link.server_side.rejects() == {"oversize": 1}


@pytest.mark.contract("SEC-IPC-06")
def test_a_second_hello_is_refused(link: Link, raw: RawEnd) -> None:
    raw.sock.sendall(raw.sealed(FrameKind.HELLO))
    with pytest.raises(UnexpectedKindError):
        link.server.receive(SOON)
    assert link.server_side.rejects() == {"kind": 1}


def test_closing_from_a_third_thread_wakes_the_receiver(
    link: Link, pool: ThreadPoolExecutor
) -> None:
    receiving = pool.submit(link.server.receive)
    pool.submit(link.server.close).result(SOON)
    with pytest.raises(ChannelClosedError) as caught:
        receiving.result(SOON)
    assert caught.value.by == "this side"


def test_closing_from_a_third_thread_wakes_a_sender_whom_nobody_reads(
    link: Link, pool: ThreadPoolExecutor
) -> None:
    sending = pool.submit(send_forever, link.client)
    link.server.receive(SOON)
    pool.submit(link.client.close).result(SOON)
    with pytest.raises(ChannelClosedError) as caught:
        sending.result(SOON)
    assert caught.value.by == "this side"


def test_a_receive_that_ran_out_of_time_loses_nothing(link: Link, raw: RawEnd) -> None:
    frame = raw.sealed()
    raw.sock.sendall(frame[:50])
    with pytest.raises(DeadlineError) as caught:
        link.server.receive(timeout=0)
    assert caught.value.category == "timeout"
    raw.sock.sendall(frame[50:])
    assert bytes(link.server.receive(SOON).payload) == b"records"


def test_a_send_that_waits_for_another_sender_has_a_deadline_too(
    link: Link, pool: ThreadPoolExecutor
) -> None:
    sending = pool.submit(send_forever, link.client)
    link.server.receive(SOON)
    with pytest.raises(DeadlineError):
        send_forever(link.client, timeout=0)
    link.client.shutdown()
    with pytest.raises(ChannelClosedError):
        sending.result(SOON)


def test_small_frames_are_not_held_back_by_the_system(link: Link, raw: RawEnd) -> None:
    assert raw.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert not raw.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_a_relayed_frame_is_signed_and_verified_for_its_own_edge(
    link: Link, pool: ThreadPoolExecutor, stack: ExitStack
) -> None:
    """features signs for policy; the hub between them sends the bytes on as they came."""
    edge, key = Channel("run-1", "features/0/1", "policy/0/1"), Secret.generate()
    signer = Signer(edge, key, clock=link.clock)
    guard = ReplayGuard(ttl_seconds=30, capacity=10)
    verifier = Verifier(edge, key, ttl_seconds=30, guard=guard, clock=link.clock)

    def verifier_of(frame: WireFrame) -> Verifier | None:
        if frame.header == b"stranger":
            raise UnknownPeerError("stranger")
        return verifier if frame.kind is FrameKind.BATCH else None

    client_side = SecureTcpTransport(session="run-1", identity="policy/0/1", clock=link.clock)
    connecting = pool.submit(
        client_side.connect,
        link.listener.address,
        server="hub",
        keys=link.key,
        verifier_of=verifier_of,
    )
    hub = stack.enter_context(link.listener.accept(SOON))
    client = stack.enter_context(connecting.result(SOON))
    hub.send(FrameKind.BATCH, b"edge", b"x", SOON, signer=signer)
    hub.send(FrameKind.CREDIT, b"own", b"", SOON)
    hub.send(FrameKind.BATCH, b"stranger", b"", SOON, signer=signer)
    hub.send(FrameKind.BATCH, b"hub as edge", b"", SOON)
    assert [client.receive(SOON).header for _ in range(2)] == [b"edge", b"own"]
    with pytest.raises(UnknownPeerError):
        client.receive(SOON)
    with pytest.raises(InvalidSignatureError):
        client.receive(SOON)
    assert client_side.rejects() == {"identity": 1, "signature": 1}


def test_a_detached_link_goes_on_without_its_channel(link: Link, stack: ExitStack) -> None:
    detached = link.server.detach()
    stack.enter_context(detached.sock)
    link.server.close()
    assert not detached.sock.getblocking()
    detached.sock.sendall(b"".join(detached.signer.seal(FrameKind.CREDIT, b"5")))
    assert link.client.receive(SOON).header == b"5"
    link.client.send(FrameKind.ACK, b"1", timeout=SOON)
    detached.sock.settimeout(SOON)
    [frame] = detached.decoder.advance(detached.sock.recv_into(detached.decoder.buffer()))
    detached.verifier.verify(frame)
    assert (detached.peer, frame.header) == ("policy/0/1", b"1")
    with pytest.raises(ChannelClosedError):
        link.server.detach()


def test_a_channel_with_frames_not_taken_is_not_detached(link: Link, raw: RawEnd) -> None:
    raw.sock.sendall(raw.sealed() + raw.sealed())
    link.server.receive(SOON)
    with pytest.raises(ValueError, match="not taken"):
        link.server.detach()


def test_a_server_that_hangs_up_has_refused(stack: ExitStack, pool: ThreadPoolExecutor) -> None:
    raw = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    connecting = pool.submit(connect, raw.getsockname())
    raw.accept()[0].close()
    with pytest.raises(HandshakeFailedError):
        connecting.result(SOON)


def test_a_server_that_stays_silent_is_not_waited_for(stack: ExitStack) -> None:
    raw = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    with pytest.raises(DeadlineError):
        connect(raw.getsockname(), timeout=0)


def test_a_server_that_talks_nonsense_is_refused(
    stack: ExitStack, pool: ThreadPoolExecutor
) -> None:
    raw = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    connecting = pool.submit(connect, raw.getsockname())
    sock = stack.enter_context(raw.accept()[0])
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9)
    with pytest.raises(UnsupportedVersionError):
        connecting.result(SOON)


def connect(address: tuple[str, int], timeout: float = SOON) -> SecureChannel:
    transport = SecureTcpTransport(session="run-1", identity="policy/0/1")
    return transport.connect(address, server="hub", keys=Secret.generate(), timeout=timeout)
