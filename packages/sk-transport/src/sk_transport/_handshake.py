"""The mutual handshake: its frames, its limits, and the checks that both sides share.

| frame   | way              | header                        | payload                           |
|---------|------------------|-------------------------------|-----------------------------------|
| HELLO   | client to server | the client's identity (UTF-8) | empty                             |
| WELCOME | server to client | the server's name (UTF-8)     | the nonce of the HELLO it answers |

Each is signed for its own direction. The client sends nothing else before it has the WELCOME, so a
server buffers no more than one small frame of an unauthenticated peer (`HandshakeLimits.frames`).
The server closes the connection of a rejected client without an answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from sk_transport._channel import require_name
from sk_transport._limits import PREFIX_BYTES, FrameLimits, require_int, require_seconds
from sk_transport._wire import NONCE_BYTES, FrameKind, WireFrame
from sk_transport.errors import InvalidSettingError, UnexpectedKindError


@dataclass(frozen=True, slots=True)
class HandshakeLimits:
    """The limits for a peer that has not been authenticated yet.

    Raises `InvalidSettingError` for a value that is not allowed.
    """

    max_identity_bytes: int = 256
    """The longest name of a peer, in bytes of UTF-8: 1 to 4096."""
    timeout_seconds: float = 5.0
    """The time limit of a handshake."""
    max_waiting: int = 128
    """The most connections in their handshake; one more drops the oldest. 1 to 65536."""

    def __post_init__(self) -> None:
        require_int("max_identity_bytes", self.max_identity_bytes, 1, 4096)
        require_seconds("handshake timeout_seconds", self.timeout_seconds)
        require_int("max_waiting", self.max_waiting, 1, 1 << 16)

    @property
    def frames(self) -> FrameLimits:
        """The limits of a connection's decoder until its handshake is done."""
        return FrameLimits(
            PREFIX_BYTES + self.max_identity_bytes + NONCE_BYTES, self.max_identity_bytes
        )


def require_kind(frame: WireFrame, expected: FrameKind) -> None:
    """Raise `UnexpectedKindError` unless the frame is of the `expected` kind."""
    if frame.kind is not expected:
        raise UnexpectedKindError(expected.name, frame.kind.name)


def check_identity(role: str, identity: str, limits: HandshakeLimits) -> None:
    """Raise `InvalidSettingError` for a configured name that a handshake frame cannot carry."""
    require_name(f"{role} identity", identity)
    if len(identity.encode()) > limits.max_identity_bytes:
        raise InvalidSettingError(
            f"{role} identity", identity, f"a name of 1 to {limits.max_identity_bytes} bytes"
        )
