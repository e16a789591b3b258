"""Signing of the gateway's frames to each worker, and verification of the worker's frames."""

from __future__ import annotations

from sk_transport import (
    Buffer,
    Channel,
    FrameKind,
    SequenceGuard,
    Signer,
    Verifier,
    WireFrame,
)

from sk_supervisor._protocol.edges import EdgeKeys
from sk_supervisor._protocol.frames import CLIENT
from sk_supervisor._protocol.link_limits import LinkLimits
from sk_supervisor._protocol.worker_ids import place_of


class ClientKeys:
    """The gateway's signer and verifier for each worker. Only for the hub's thread.

    They are created at a worker's first frame, and replaced at the first frame of its successor.
    """

    def __init__(self, session: str, keys: EdgeKeys, limits: LinkLimits) -> None:
        self._session, self._keys, self._limits = session, keys, limits
        self._ends: dict[str, tuple[str, Signer, Verifier]] = {}

    def seal(self, worker: str, header: bytes, payload: bytes) -> list[Buffer]:
        """Sign a REQUEST frame for a worker, and return its parts."""
        _, signer, _ = self._of(worker)
        return list(signer.seal(FrameKind.REQUEST, header, payload))

    def verify(self, worker: str, frame: WireFrame) -> None:
        """Verify a REPLY frame.

        :raises TransportError: when it is not from this worker, or is a repetition.
        """
        self._of(worker)[2].verify(frame)

    def _of(self, worker: str) -> tuple[str, Signer, Verifier]:
        place = place_of(worker)
        known = self._ends.get(place)
        if known is None or known[0] != worker:
            known = self._ends[place] = (worker, self._signer(worker), self._verifier(worker))
        return known

    def _signer(self, worker: str) -> Signer:
        channel = Channel(self._session, CLIENT, worker)
        return Signer(channel, self._keys.between(CLIENT, worker), limits=self._limits.frames)

    def _verifier(self, worker: str) -> Verifier:
        return Verifier(
            Channel(self._session, worker, CLIENT),
            self._keys.between(worker, CLIENT),
            guard=SequenceGuard(),
        )
