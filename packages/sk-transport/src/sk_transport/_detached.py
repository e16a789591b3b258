"""An established link for an owner with its own event loop."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from sk_transport._decoder import FrameDecoder
from sk_transport._signing import Signer, Verifier


@dataclass(frozen=True, slots=True, eq=False)
class DetachedChannel:
    """What a `SecureChannel` was made of; the new owner reads, verifies, signs and closes.

    `sock` is non-blocking. `decoder` holds the bytes that were received and not returned yet.
    `signer` and `verifier` are those of the two ends; `peer` is the proven identity.
    """

    peer: str
    sock: socket.socket
    decoder: FrameDecoder
    signer: Signer
    verifier: Verifier
