"""The listener: on loopback only, and no stranger holds it up."""

from __future__ import annotations

import math
import resource
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from sk_transport import (
    BindError,
    Channel,
    ChannelClosedError,
    ConnectError,
    DeadlineError,
    FrameDecoder,
    FrameKind,
    HandshakeFailedError,
    HandshakeLimits,
    InvalidSettingError,
    Listener,
    ReplayGuard,
    Secret,
    SecureTcpTransport,
    ServerHandshake,
    Signer,
)

if TYPE_CHECKING:
    from conftest import Clock

SOON = 10.0
KEY = Secret.generate()
NOBODY: dict[str, Secret] = {}
OUTSIDE = [
    "0.0.0.0",  # noqa: S104
    "192.168.1.1",
    "8.8.8.8",
    "::",
    "::1%eth0",
    "127.1",
    "localhost",
    "",
    None,
]


def make_server(**settings: HandshakeLimits) -> SecureTcpTransport:
    return SecureTcpTransport(session="run-1", identity="hub", **settings)  # type: ignore[arg-type]


def make_client(name: str = "policy/0/1", session: str = "run-1") -> SecureTcpTransport:
    return SecureTcpTransport(session=session, identity=name)


def dial(address: tuple[str, int], stack: ExitStack) -> socket.socket:
    return stack.enter_context(socket.create_connection(address, SOON))


def hello(
    name: str = "policy/0/1", key: Secret = KEY, clock: Callable[[], int] = time.monotonic_ns
) -> bytes:
    signer = Signer(Channel("run-1", name, "hub"), key, clock=clock)
    return signer.seal(FrameKind.HELLO, name.encode())[0]


@pytest.mark.contract("SEC-IPC-07")
@pytest.mark.parametrize("host", OUTSIDE)
def test_a_bind_to_anything_but_loopback_is_refused(host: str) -> None:
    with pytest.raises(BindError) as caught:
        make_server().listen(NOBODY.get, host=host)
    assert caught.value.category == "bind"
    assert "loopback" in str(caught.value)


@pytest.mark.parametrize("host", OUTSIDE)
def test_a_connection_to_anything_but_loopback_is_refused(host: str) -> None:
    with pytest.raises(ConnectError) as caught:
        make_client().connect((host, 1), server="hub", keys=KEY)
    assert caught.value.category == "connect"


@pytest.mark.contract("SEC-IPC-07b")
@pytest.mark.parametrize("port", [-1, 65_536, "80", 1.0, True, None])
def test_an_invalid_bind_port_is_refused_at_set_up(port: int) -> None:
    with pytest.raises(BindError, match="port") as caught:
        make_server().listen(NOBODY.get, port=port)
    assert caught.value.category == "bind"


@pytest.mark.parametrize("port", [0, -1, 65_536, "80", True])
def test_an_invalid_port_to_connect_to_is_refused(port: int) -> None:
    with pytest.raises(ConnectError, match="port"):
        make_client().connect(("127.0.0.1", port), server="hub", keys=KEY)


@pytest.mark.contract("SEC-IPC-07b")
def test_a_port_in_use_is_a_typed_error_at_set_up_that_says_what_to_do() -> None:
    with make_server().listen(NOBODY.get) as first:
        with pytest.raises(BindError) as caught:
            make_server().listen(NOBODY.get, port=first.address[1])
        assert (caught.value.host, caught.value.port) == first.address
        assert str(caught.value).endswith(": choose another port, or 0 for any free one")


@pytest.mark.parametrize("spare", range(4))
def test_a_listener_for_which_there_are_no_descriptors_is_a_typed_error(spare: int) -> None:
    """A socket, a selector and what wakes it: whichever of them cannot be had, none is left."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as next_one:
        lowest = next_one.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + spare, hard))
    try:
        with pytest.raises(BindError, match="open files"):
            make_server().listen(NOBODY.get)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with socket.socket() as next_one:
        assert next_one.fileno() == lowest


def test_a_port_is_free_again_once_its_listener_is_closed() -> None:
    with make_server().listen(NOBODY.get) as first:
        pass
    with make_server().listen(NOBODY.get, port=first.address[1]) as second:
        assert second.address == first.address


def test_nobody_there_is_a_connect_error() -> None:
    with make_server().listen(NOBODY.get) as gone:
        pass
    with pytest.raises(ConnectError):
        make_client().connect(gone.address, server="hub", keys=KEY)


@pytest.mark.parametrize("client", [make_client("stranger"), make_client(session="run-0")])
def test_a_refused_client_is_hung_up_on_counted_and_ends_no_wait(
    client: SecureTcpTransport, pool: ThreadPoolExecutor, stack: ExitStack
) -> None:
    server = make_server()
    listener = stack.enter_context(server.listen({"policy/0/1": KEY}.get))
    accepting = pool.submit(listener.accept, SOON)
    with pytest.raises(HandshakeFailedError):
        client.connect(listener.address, server="hub", keys=KEY)
    good = make_client().connect(listener.address, server="hub", keys=KEY)
    stack.enter_context(good)
    assert stack.enter_context(accepting.result(SOON)).peer == "policy/0/1"
    assert sum(server.rejects().values()) == 1
    assert set(server.rejects()) <= {"identity", "signature"}


@pytest.mark.parametrize(
    ("sent", "category"),
    [
        (b"GET / HTTP/1.1\r\n", "version"),
        (b"\xff\xff\xff\xff\x01\x01\0\0", "oversize"),
        (b"\0\0\0\x3c\x01\x63\0\0", "kind"),
        (hello("stranger"), "identity"),
        (hello(key=Secret.generate()), "signature"),
        (hello() + b"more", "handshake"),
        (hello() + hello(), "handshake"),
    ],
    ids=["garbage", "oversize", "kind", "stranger", "impostor", "early data", "two hellos"],
)
def test_a_hostile_guest_is_refused_with_its_category(
    sent: bytes, category: str, stack: ExitStack, pool: ThreadPoolExecutor
) -> None:
    server = make_server()
    listener = stack.enter_context(server.listen({"policy/0/1": KEY}.get))
    hung_up_on(listener, sent, stack, pool)
    assert server.rejects() == {category: 1}


def hung_up_on(listener: Listener, sent: bytes, stack: ExitStack, pool: ThreadPoolExecutor) -> None:
    """Dial and send this; be hung up on without an answer, while an `accept` goes on waiting."""
    sock = dial(listener.address, stack)
    sock.sendall(sent)
    accepting = pool.submit(listener.accept)
    assert answered(sock) == b""
    listener.close()
    with pytest.raises(ChannelClosedError):
        accepting.result(SOON)


def answered(sock: socket.socket) -> bytes:
    """What the other end sends before it hangs up."""
    try:
        return sock.recv(1_000)
    except ConnectionResetError:
        return b""


@pytest.mark.contract("SEC-IPC-04")
def test_a_recorded_hello_opens_no_second_connection(
    stack: ExitStack, pool: ThreadPoolExecutor
) -> None:
    server = make_server()
    listener = stack.enter_context(server.listen({"policy/0/1": KEY}.get))
    recorded = hello()
    dial(listener.address, stack).sendall(recorded)
    stack.enter_context(listener.accept(SOON))
    hung_up_on(listener, recorded, stack, pool)
    assert server.rejects() == {"replay": 1}


def test_the_smallest_nonce_cache_lets_every_peer_in(
    stack: ExitStack, pool: ThreadPoolExecutor
) -> None:
    """Each peer needs one place in it, and has its own: a run of many workers is never refused."""
    names = [f"policy/{index}/1" for index in range(4)]
    server = SecureTcpTransport(session="run-1", identity="hub", nonce_capacity=1)
    listener = stack.enter_context(server.listen(dict.fromkeys(names, KEY).get))
    for name in names:
        client = SecureTcpTransport(session="run-1", identity=name, nonce_capacity=1)
        connecting = pool.submit(client.connect, listener.address, server="hub", keys=KEY)
        assert stack.enter_context(listener.accept(SOON)).peer == name
        stack.enter_context(connecting.result(SOON))
    assert server.rejects() == {}


@pytest.mark.contract("SEC-IPC-03")
@pytest.mark.parametrize("seconds", [31, -31])
def test_a_hello_of_another_time_opens_no_connection(
    seconds: int, clock: Clock, stack: ExitStack, pool: ThreadPoolExecutor
) -> None:
    server = SecureTcpTransport(session="run-1", identity="hub", ttl_seconds=30, clock=clock)
    listener = stack.enter_context(server.listen({"policy/0/1": KEY}.get))
    dated = hello(clock=clock)
    clock.advance(seconds)
    hung_up_on(listener, dated, stack, pool)
    assert server.rejects() == {"expired": 1}


def test_silent_guests_delay_nobody(stack: ExitStack, pool: ThreadPoolExecutor) -> None:
    server = make_server(handshake=HandshakeLimits(timeout_seconds=600, max_waiting=8))
    listener = stack.enter_context(server.listen({"policy/0/1": KEY}.get))
    silent = [dial(listener.address, stack) for _ in range(40)]
    silent[-1].sendall(hello()[:20])
    connecting = pool.submit(make_client().connect, listener.address, server="hub", keys=KEY)
    assert stack.enter_context(listener.accept(SOON)).peer == "policy/0/1"
    stack.enter_context(connecting.result(SOON))
    assert server.rejects()["overload"] >= 40 - 8


def test_a_silent_guest_is_sent_away_when_its_time_is_over(stack: ExitStack) -> None:
    server = make_server(handshake=HandshakeLimits(timeout_seconds=0.001))
    listener = stack.enter_context(server.listen(NOBODY.get))
    sock = dial(listener.address, stack)
    while not server.rejects():
        with pytest.raises(DeadlineError):
            listener.accept(timeout=0.01)
    assert server.rejects() == {"timeout": 1}
    assert answered(sock) == b""


def test_a_time_limit_may_be_longer_than_the_system_can_wait_at_once(
    stack: ExitStack, pool: ThreadPoolExecutor
) -> None:
    """Of an accept and of a handshake."""
    server = make_server(handshake=HandshakeLimits(timeout_seconds=1e10))
    listener = stack.enter_context(server.listen({"policy/0/1": KEY}.get))
    accepting = pool.submit(listener.accept, math.inf)
    dial(listener.address, stack).sendall(hello()[:20])
    client = make_client()
    connecting = pool.submit(
        client.connect, listener.address, server="hub", keys=KEY, timeout=math.inf
    )
    assert stack.enter_context(accepting.result(SOON)).peer == "policy/0/1"
    stack.enter_context(connecting.result(SOON))


def test_a_guest_whose_hello_is_there_is_not_blamed_for_a_late_accept(stack: ExitStack) -> None:
    server = make_server(handshake=HandshakeLimits(timeout_seconds=1e-9))
    listener = stack.enter_context(server.listen({"policy/0/1": KEY}.get))
    dial(listener.address, stack).sendall(hello())
    assert stack.enter_context(listener.accept(SOON)).peer == "policy/0/1"


def test_data_right_behind_the_welcome_is_received(
    stack: ExitStack, pool: ThreadPoolExecutor
) -> None:
    """Sent in one piece with it, as a server may that has something to say at once."""
    raw = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    connecting = pool.submit(make_client().connect, raw.getsockname(), server="hub", keys=KEY)
    sock = stack.enter_context(raw.accept()[0])
    limits, guard = HandshakeLimits(), ReplayGuard(ttl_seconds=60, capacity=10)
    handshake = ServerHandshake(
        limits, lambda _: KEY, session="run-1", server="hub", ttl_seconds=60, guard=guard
    )
    [asked] = FrameDecoder(limits.frames).feed(sock.recv(1_000))
    peer = handshake.accept(asked)
    sock.sendall(b"".join([*peer.reply, *peer.signer.seal(FrameKind.CREDIT, b"1")]))
    client = stack.enter_context(connecting.result(SOON))
    assert client.receive(SOON).header == b"1"


def test_the_time_that_an_accept_queues_behind_another_counts(pool: ThreadPoolExecutor) -> None:
    # The lock is held as by a thread that waits for a peer.
    with make_server().listen(NOBODY.get) as listener, listener._accepting:
        queued = pool.submit(listener.accept, timeout=0.05)
        with pytest.raises(DeadlineError):
            queued.result(SOON)


def test_a_flood_of_events_does_not_prolong_an_accept(pool: ThreadPoolExecutor) -> None:
    with make_server().listen(NOBODY.get) as listener:
        listener._wake_out.send(b"\0")  # never read: every round has an event
        accepting = pool.submit(listener.accept, timeout=0.05)
        with pytest.raises(DeadlineError):
            accepting.result(SOON)


def test_closing_from_another_thread_wakes_an_accept(pool: ThreadPoolExecutor) -> None:
    listener = make_server().listen(NOBODY.get)
    accepting = pool.submit(listener.accept)
    closer = threading.Thread(target=listener.close)
    closer.start()
    with pytest.raises(ChannelClosedError):
        accepting.result(SOON)
    closer.join(SOON)
    listener.close()


def test_ipv6_loopback_serves_as_well(stack: ExitStack, pool: ThreadPoolExecutor) -> None:
    if not has_ipv6_loopback():
        with pytest.raises(BindError):
            make_server().listen(NOBODY.get, host="::1")
        return
    listener = stack.enter_context(make_server().listen({"policy/0/1": KEY}.get, host="::1"))
    connecting = pool.submit(make_client().connect, listener.address, server="hub", keys=KEY)
    stack.enter_context(listener.accept(SOON))
    stack.enter_context(connecting.result(SOON))


def has_ipv6_loopback() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("session", ["", "\ud800"])
def test_an_impossible_session_is_refused_before_listening(session: str) -> None:
    with pytest.raises(InvalidSettingError):
        SecureTcpTransport(session=session, identity="hub").listen(NOBODY.get)
