"""The server's side of the handshake, which `_handshake.py` describes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sk_transport._channel import Channel, require_name
from sk_transport._handshake import HandshakeLimits, check_identity, require_kind
from sk_transport._limits import FrameLimits
from sk_transport._link import KeyLookup, both_directions
from sk_transport._replay import ReplayGuard
from sk_transport._sequence import SequenceGuard
from sk_transport._signing import Signer, Verifier, monotonic_clock
from sk_transport._wire import Buffer, FrameKind, WireFrame
from sk_transport.errors import MalformedHandshakeError, UnknownPeerError


@dataclass(frozen=True, slots=True)
class AdmittedPeer:
    """A client that has proven its identity, as returned by `ServerHandshake.accept`.

    `reply` is the WELCOME: buffers to send in order. `signer` and `verifier` are for all later
    frames of the link; the verifier checks the order of the client's frames (`SequenceGuard`).
    """

    identity: str
    reply: tuple[bytes, Buffer]
    signer: Signer
    verifier: Verifier


class ServerHandshake:
    """The server's side of the handshake, for all connections of a listener.

    `lookup` returns the keys of a client by the name that it claims. `guard` remembers the accepted
    HELLOs, so that none opens a second connection; `ttl_seconds` is their greatest age.
    """

    def __init__(
        self,
        limits: HandshakeLimits,
        lookup: KeyLookup,
        *,
        session: str,
        server: str,
        ttl_seconds: float,
        guard: ReplayGuard,
        frames: FrameLimits | None = None,
        clock: Callable[[], int] = monotonic_clock,
    ) -> None:
        require_name("session", session)
        check_identity("server", server, limits)
        self._limits = limits
        self._lookup = lookup
        self._session = session
        self._server = server
        self._ttl_seconds = ttl_seconds
        self._guard = guard
        self._frames = frames
        self._clock = clock

    def accept(self, hello: WireFrame) -> AdmittedPeer:
        """Check the first frame of a connection, and return the admitted peer with the answer.

        Raises `UnexpectedKindError`, `MalformedHandshakeError`, `UnknownPeerError` or a
        `FrameRefusedError`: then close the connection without an answer. Exceptions of the lookup
        are passed on.
        """
        require_kind(hello, FrameKind.HELLO)
        if len(hello.payload):
            raise MalformedHandshakeError("a HELLO carries no payload")
        identity = _read_identity(hello, self._limits)
        keys = None if identity == self._server else self._lookup(identity)
        if keys is None:
            raise UnknownPeerError(identity)
        inward = Channel(self._session, identity, self._server)
        link = both_directions(keys)
        Verifier(
            inward,
            link.to_server,
            ttl_seconds=self._ttl_seconds,
            guard=self._guard,
            clock=self._clock,
        ).verify(hello)
        signer = Signer(inward.reverse(), link.to_client, clock=self._clock, limits=self._frames)
        reply = signer.seal(FrameKind.WELCOME, self._server.encode(), hello.nonce)
        verifier = Verifier(
            inward, link.to_server, guard=SequenceGuard(hello.nonce), clock=self._clock
        )
        return AdmittedPeer(identity, reply, signer, verifier)


def _read_identity(hello: WireFrame, limits: HandshakeLimits) -> str:
    """Return the identity claimed in a HELLO, or raise `MalformedHandshakeError`."""
    if not 0 < len(hello.header) <= limits.max_identity_bytes:
        raise MalformedHandshakeError(
            f"an identity of {len(hello.header)} bytes, expected 1 to {limits.max_identity_bytes}"
        )
    try:
        return hello.header.decode()
    except UnicodeDecodeError:
        raise MalformedHandshakeError("the identity is no UTF-8") from None
