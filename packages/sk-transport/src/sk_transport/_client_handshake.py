"""The client's side of the handshake, which `_handshake.py` describes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sk_transport._channel import Channel
from sk_transport._handshake import HandshakeLimits, check_identity, require_kind
from sk_transport._limits import PREFIX_BYTES, FrameLimits
from sk_transport._link import KeysOrKey, both_directions
from sk_transport._replay import ReplayGuard
from sk_transport._sequence import SequenceGuard
from sk_transport._signing import Signer, Verifier, monotonic_clock
from sk_transport._wire import NONCE_BYTES, Buffer, FrameKind, WireFrame
from sk_transport.errors import MalformedHandshakeError


class ClientHandshake:
    """The client's side of one handshake: send `hello()`, then pass the answer to `finish`.

    `channel` has the client as its sender and the server as its receiver. `guard` and `ttl_seconds`
    apply to the answer. `signer` signs the HELLO and all later frames of the client.
    """

    def __init__(
        self,
        channel: Channel,
        keys: KeysOrKey,
        *,
        limits: HandshakeLimits,
        ttl_seconds: float,
        guard: ReplayGuard,
        frames: FrameLimits | None = None,
        clock: Callable[[], int] = monotonic_clock,
    ) -> None:
        check_identity("client", channel.sender, limits)
        check_identity("server", channel.receiver, limits)
        link = both_directions(keys)
        self._channel = channel
        self._limits = limits
        self.signer = Signer(channel, link.to_server, clock=clock, limits=frames)
        self._verifier = partial(Verifier, channel.reverse(), link.to_client, clock=clock)
        self._ttl_seconds, self._guard = ttl_seconds, guard
        self._nonce: bytes | None = None

    @property
    def server(self) -> str:
        """The name that the server has to prove."""
        return self._channel.receiver

    @property
    def welcome_bytes(self) -> int:
        """The size of the WELCOME in bytes; read no more, as the server's data may follow."""
        return PREFIX_BYTES + len(self._channel.receiver.encode()) + NONCE_BYTES

    def hello(self) -> tuple[bytes, Buffer]:
        """Return the buffers of the HELLO, to be sent in order."""
        prefix, payload = self.signer.seal(FrameKind.HELLO, self._channel.sender.encode())
        self._nonce = prefix[NONCE_BYTES : 2 * NONCE_BYTES]
        return prefix, payload

    def finish(self, welcome: WireFrame) -> Verifier:
        """Check that the answer was signed by this server, is fresh, and answers this HELLO.

        Returns the verifier of all later frames of the link; it checks the order of the server's
        frames and not their age (`SequenceGuard`). Raises `UnexpectedKindError`, a
        `FrameRefusedError` or `MalformedHandshakeError`.
        """
        require_kind(welcome, FrameKind.WELCOME)
        self._verifier(ttl_seconds=self._ttl_seconds, guard=self._guard).verify(welcome)
        if welcome.header != self._channel.receiver.encode():
            raise MalformedHandshakeError("the WELCOME is of another server")
        if bytes(welcome.payload) != self._nonce:
            raise MalformedHandshakeError("the WELCOME answers another HELLO")
        return self._verifier(guard=SequenceGuard(welcome.nonce))
