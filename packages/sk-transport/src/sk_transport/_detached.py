"""One end of an open link, for a caller with an event loop of its own."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from sk_transport._decoder import FrameDecoder
from sk_transport._signing import Signer, Verifier


@dataclass(frozen=True, slots=True, eq=False)
class DetachedChannel:
    """The parts of a detached `SecureChannel`; its new owner reads, verifies, signs and closes.

    `peer` is the proven identity of the other end. `sock` is non-blocking. `decoder` holds received
    bytes of a frame that is not complete yet. `signer` is for the frames that this end sends,
    `verifier` for those that the peer itself signed.
    """

    peer: str
    sock: socket.socket
    decoder: FrameDecoder
    signer: Signer
    verifier: Verifier
