"""One end of an established link, for an owner with an event loop of its own."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from sk_transport._decoder import FrameDecoder
from sk_transport._signing import Signer, Verifier


@dataclass(frozen=True, slots=True, eq=False)
class DetachedChannel:
    """The parts of a `SecureChannel`; whoever detached it reads, verifies, signs and closes now.

    `peer` is the proven identity of the other end. `sock` is non-blocking. `decoder` holds the
    bytes that were received and belong to no whole frame yet. `signer` is for what this end sends,
    `verifier` for what the peer itself signed.
    """

    peer: str
    sock: socket.socket
    decoder: FrameDecoder
    signer: Signer
    verifier: Verifier
