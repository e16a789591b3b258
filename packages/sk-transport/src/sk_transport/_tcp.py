"""The loopback TCP transport: listening and connecting."""

from __future__ import annotations

import socket
from collections.abc import Callable

from sk_transport._channel import Channel
from sk_transport._client_handshake import ClientHandshake
from sk_transport._decoder import FrameDecoder
from sk_transport._endpoints import bound, connected
from sk_transport._handshake import HandshakeLimits
from sk_transport._limits import FrameLimits
from sk_transport._link import KeyLookup, KeysOrKey
from sk_transport._listener import Listener
from sk_transport._rejects import RejectCounts
from sk_transport._replay import ReplayGuard
from sk_transport._secure_channel import SecureChannel, VerifierOf
from sk_transport._server_handshake import ServerHandshake
from sk_transport._signing import monotonic_clock
from sk_transport._socket import Deadline, reason_of, send_parts, wait_readable
from sk_transport._wire import WireFrame
from sk_transport.errors import (
    BindError,
    DeadlineError,
    HandshakeFailedError,
    MalformedHandshakeError,
    TransportError,
)

DEFAULT_TTL_SECONDS = 60.0
DEFAULT_NONCE_CAPACITY = 100_000


class SecureTcpTransport:
    """Listens and connects on loopback TCP, under one name (`identity`) in one session.

    `frames` and `handshake` are the limits of every connection. HELLO and WELCOME are valid for
    `ttl_seconds`, and `nonce_capacity` of them are remembered for each peer; later frames of a link
    are checked by their order alone. `clock` returns nanoseconds, and both ends must use the same
    clock. `on_reject` is called with the category of every rejected frame or peer, in the thread
    that rejects it; it must not block or raise. Raises `InvalidSettingError`.
    """

    def __init__(
        self,
        *,
        session: str,
        identity: str,
        frames: FrameLimits | None = None,
        handshake: HandshakeLimits | None = None,
        ttl_seconds: float = DEFAULT_TTL_SECONDS,
        nonce_capacity: int = DEFAULT_NONCE_CAPACITY,
        clock: Callable[[], int] = monotonic_clock,
        on_reject: Callable[[str], None] | None = None,
    ) -> None:
        self._session = session
        self._identity = identity
        self._frames = frames or FrameLimits()
        self._handshake = handshake or HandshakeLimits()
        self._ttl_seconds = ttl_seconds
        self._guard = ReplayGuard(ttl_seconds=ttl_seconds, capacity=nonce_capacity)
        self._clock = clock
        self._rejects = RejectCounts(on_reject)

    def rejects(self) -> dict[str, int]:
        """Return how many frames and peers were rejected so far, by category of the error."""
        return self._rejects.snapshot()

    def listen(self, lookup: KeyLookup, *, host: str = "127.0.0.1", port: int = 0) -> Listener:
        """Listen on loopback (`port` 0: the system chooses; see `Listener.address`).

        `lookup` returns the keys of a client by its name, None for an unknown one. Raises
        `BindError`, and `InvalidSettingError` for a session or identity that is not a valid name.
        """
        handshake = ServerHandshake(
            self._handshake,
            lookup,
            session=self._session,
            server=self._identity,
            ttl_seconds=self._ttl_seconds,
            guard=self._guard,
            frames=self._frames,
            clock=self._clock,
        )
        sock = bound(host, port)
        try:
            return Listener(
                sock,
                handshake,
                limits=self._handshake,
                frames=self._frames,
                rejects=self._rejects,
            )
        except OSError as error:
            raise BindError(host, port, reason_of(error)) from None

    def connect(
        self,
        address: tuple[str, int],
        *,
        server: str,
        keys: KeysOrKey,
        timeout: float | None = None,
        verifier_of: VerifierOf | None = None,
    ) -> SecureChannel:
        """Connect to `server` at `address` and do the handshake, within `timeout` seconds.

        `timeout=None` means that of the handshake limits. `verifier_of` is for a server that relays
        frames which other processes signed. Raises `ConnectError`, `DeadlineError`,
        `HandshakeFailedError` when the server closes the connection, and the errors of
        `ClientHandshake.finish` when the answer is not valid.
        """
        seconds = self._handshake.timeout_seconds if timeout is None else timeout
        deadline = Deadline("connect", seconds)
        handshake = ClientHandshake(
            Channel(self._session, self._identity, server),
            keys,
            limits=self._handshake,
            ttl_seconds=self._ttl_seconds,
            guard=self._guard,
            frames=self._frames,
            clock=self._clock,
        )
        sock = connected(address, deadline)
        try:
            welcome = _exchange(sock, handshake, self._handshake.frames, deadline)
            verifier = handshake.finish(welcome)
        except TransportError as error:
            sock.close()
            if not isinstance(error, (DeadlineError, HandshakeFailedError)):
                self._rejects.add(error)  # in the other two cases this side rejected nothing
            raise
        return SecureChannel(
            sock,
            handshake.signer,
            verifier,
            limits=self._frames,
            rejects=self._rejects,
            verifier_of=verifier_of,
        )


def _exchange(
    sock: socket.socket, handshake: ClientHandshake, limits: FrameLimits, deadline: Deadline
) -> WireFrame:
    """Send the HELLO and return the single frame that answers it."""
    decoder = FrameDecoder(limits)
    frames: list[WireFrame] = []
    rest = handshake.welcome_bytes
    try:
        send_parts(sock, handshake.hello(), deadline)
        while rest and not frames:
            wait_readable(sock, deadline)
            count = sock.recv_into(decoder.buffer()[:rest])
            if not count:
                raise HandshakeFailedError(handshake.server)
            frames = decoder.advance(count)
            rest -= count
    except OSError:
        raise HandshakeFailedError(handshake.server) from None
    if rest or len(frames) != 1:
        raise MalformedHandshakeError("the answer is not of the size of a WELCOME")
    return frames[0]
