"""A worker's end of the data plane: batches and acknowledgements out, verified frames in."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping

from sk_control import BootstrapKeyBundle
from sk_transport import (
    Channel,
    FrameKind,
    HandshakeFailedError,
    LinkKeys,
    SecureChannel,
    SecureTcpTransport,
    SequenceGuard,
    Signer,
    UnknownPeerError,
    Verifier,
    WireFrame,
)

from sk_supervisor._edges import link_keys, receivers, senders
from sk_supervisor._frames import (
    HUB,
    AckHeader,
    BatchHeader,
    CreditHeader,
    decode_header,
    encode_header,
)
from sk_supervisor._inbox import Arrived
from sk_supervisor._link_limits import LinkLimits

#: A worker that is hung up on in its handshake dials again: in a flood of strangers' connections
#: an honest one may be dropped with them.
_DIALS = 4
_REDIAL_SECONDS = 0.05


class Outlet:
    """The connection of one worker to the hub. ``send`` and ``acknowledge``: main thread only.

    :raises TransportError: from every method, when the hub is lost or a frame is refused.
    """

    def __init__(
        self,
        *,
        session: str,
        worker_id: str,
        run_id: str,
        scenario_id: str,
        keys: BootstrapKeyBundle,
        address: tuple[str, int],
        worker_of_segment: Mapping[int, str],
        limits: LinkLimits,
    ) -> None:
        self.worker_id, self.run_id, self.scenario_id = worker_id, run_id, scenario_id
        self._worker_of = dict(worker_of_segment)
        self._signers = {
            receiver: Signer(Channel(session, worker_id, receiver), key, limits=limits.frames)
            for receiver, key in receivers(keys).items()
        }
        self._verifiers = {
            sender: Verifier(
                Channel(session, sender, worker_id),
                key,
                ttl_seconds=limits.ttl_seconds,
                guard=SequenceGuard(),
            )
            for sender, key in senders(keys).items()
        }
        transport = limits.transport(session, worker_id)
        self._channel = self._dial(transport, address, link_keys(keys))

    def worker_of(self, segment: int) -> str:
        """The worker that runs a segment."""
        return self._worker_of[segment]

    def send(self, header: BatchHeader, payload: bytes, *, final: bool) -> None:
        """Send one part of a batch on its way."""
        kind = FrameKind.END if final else FrameKind.BATCH
        signer = self._signers[header.receiver]
        self._channel.send(kind, encode_header(header), payload, signer=signer)

    def acknowledge(self, segment: int, epoch: int) -> None:
        """Tell the hub that a last segment is done with a batch."""
        header = AckHeader(self.worker_id, segment, epoch)
        self._channel.send(FrameKind.ACK, encode_header(header))

    def listen(self, on_batch: Callable[[Arrived], None], on_credit: Callable[[int], None]) -> None:
        """Receive until the connection ends, which is always raised."""
        while True:
            frame = self._channel.receive()
            if frame.kind is FrameKind.CREDIT:
                on_credit(decode_header(CreditHeader, frame.header).acknowledged)
            else:
                header = decode_header(BatchHeader, frame.header)
                on_batch(Arrived(header, frame.payload, frame.kind is FrameKind.END))

    def shutdown(self) -> None:
        """Wake whoever listens. Any thread."""
        self._channel.shutdown()

    def close(self) -> None:
        """Release the connection."""
        self._channel.close()

    def _dial(
        self, transport: SecureTcpTransport, address: tuple[str, int], keys: LinkKeys
    ) -> SecureChannel:
        for _ in range(_DIALS - 1):
            with contextlib.suppress(HandshakeFailedError):
                return transport.connect(
                    address, server=HUB, keys=keys, verifier_of=self._verifier_of
                )
            time.sleep(_REDIAL_SECONDS)
        return transport.connect(address, server=HUB, keys=keys, verifier_of=self._verifier_of)

    def _verifier_of(self, frame: WireFrame) -> Verifier | None:
        """Batches are signed by the worker that made them, all else by the hub."""
        if frame.kind not in (FrameKind.BATCH, FrameKind.END):
            return None
        sender = decode_header(BatchHeader, frame.header).sender
        if sender not in self._verifiers:
            raise UnknownPeerError(sender)
        return self._verifiers[sender]
