"""The mutual handshake, as values: no socket, no clock of its own.

| frame   | way              | header                        | payload                           |
|---------|------------------|-------------------------------|-----------------------------------|
| HELLO   | client to server | the client's identity (UTF-8) | empty                             |
| WELCOME | server to client | the server's name (UTF-8)     | the nonce of the HELLO it answers |

Each is signed for its own direction. The client sends nothing else before it has the WELCOME, so a
server needs to keep no more of a stranger than one small frame (`HandshakeLimits.frames`). A
refused client is hung up on without a word.
"""

from __future__ import annotations

from dataclasses import dataclass

from sk_transport._channel import require_name
from sk_transport._limits import PREFIX_BYTES, FrameLimits, require_int, require_seconds
from sk_transport._wire import NONCE_BYTES, FrameKind, WireFrame
from sk_transport.errors import InvalidSettingError, UnexpectedKindError


@dataclass(frozen=True, slots=True)
class HandshakeLimits:
    """What a peer gets before it is known: bytes of identity, seconds, places in the waiting room.

    Raises `InvalidSettingError` for what is impossible.
    """

    max_identity_bytes: int = 256
    timeout_seconds: float = 5.0
    max_waiting: int = 128

    def __post_init__(self) -> None:
        require_int("max_identity_bytes", self.max_identity_bytes, 1, 4096)
        require_seconds("handshake timeout_seconds", self.timeout_seconds)
        require_int("max_waiting", self.max_waiting, 1, 1 << 16)

    @property
    def frames(self) -> FrameLimits:
        """The limits of the decoder until the handshake is done; after it, take a new decoder."""
        return FrameLimits(
            PREFIX_BYTES + self.max_identity_bytes + NONCE_BYTES, self.max_identity_bytes
        )


def require_kind(frame: WireFrame, expected: FrameKind) -> None:
    """Raise `UnexpectedKindError` unless the frame is of the `expected` kind."""
    if frame.kind is not expected:
        raise UnexpectedKindError(expected.name, frame.kind.name)


def check_identity(role: str, identity: str, limits: HandshakeLimits) -> None:
    """Raise `InvalidSettingError` for a name of our own that a handshake cannot carry."""
    require_name(f"{role} identity", identity)
    if len(identity.encode()) > limits.max_identity_bytes:
        raise InvalidSettingError(
            f"{role} identity", identity, f"a name of 1 to {limits.max_identity_bytes} bytes"
        )
