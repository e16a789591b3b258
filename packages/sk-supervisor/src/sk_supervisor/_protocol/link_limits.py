"""The limits of a data link, which a worker gets in its bundle."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from sk_transport import FrameLimits, HandshakeLimits, SecureTcpTransport

if TYPE_CHECKING:
    from sk_config import ExecutionIpcConfig

#: The bytes of a HELLO besides the name of the peer.
_HELLO_BYTES = 80


class LinkLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits and times of the data plane; the same at the hub and at every worker."""

    max_payload_bytes: int
    max_header_bytes: int = 65_535
    max_unauthenticated_bytes: int = 512
    handshake_timeout_seconds: float = 5.0
    max_waiting: int = 128
    ttl_seconds: float = 30.0
    nonce_capacity: int = 100_000

    @property
    def frames(self) -> FrameLimits:
        """The limits for the sizes of frames and headers."""
        return FrameLimits.for_payload(self.max_payload_bytes, self.max_header_bytes)

    def transport(
        self, session: str, identity: str, on_reject: Callable[[str], None] | None = None
    ) -> SecureTcpTransport:
        """Create the transport of one end, which has the name ``identity`` in the session."""
        return SecureTcpTransport(
            session=session,
            identity=identity,
            frames=self.frames,
            handshake=HandshakeLimits(
                max_identity_bytes=min(self.max_unauthenticated_bytes - _HELLO_BYTES, 4096),
                timeout_seconds=self.handshake_timeout_seconds,
                max_waiting=self.max_waiting,
            ),
            ttl_seconds=self.ttl_seconds,
            nonce_capacity=self.nonce_capacity,
            on_reject=on_reject,
        )


def link_limits(ipc: ExecutionIpcConfig) -> LinkLimits:
    """The limits that a configuration sets."""
    return LinkLimits(
        max_payload_bytes=ipc.max_payload_bytes,
        max_header_bytes=ipc.max_header_bytes,
        max_unauthenticated_bytes=ipc.admission.max_unauthenticated_bytes,
        handshake_timeout_seconds=ipc.admission.handshake_timeout_seconds,
        max_waiting=ipc.admission.max_waiting,
        ttl_seconds=ipc.auth.ttl_seconds,
        nonce_capacity=ipc.auth.nonce_cache_size,
    )
