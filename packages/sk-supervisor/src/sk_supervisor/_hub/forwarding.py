"""Forwarding of the hub's frames, unchanged, to the receivers that the relay determines."""

from __future__ import annotations

from collections.abc import Callable

from sk_transport import FrameKind, WireFrame

from sk_supervisor._hub.links import HubLink, HubLinks
from sk_supervisor._hub.local_peer import LocalPeer
from sk_supervisor._hub.relay import CreditGrant, Relay
from sk_supervisor._peer_errors import RelayRefusedError
from sk_supervisor._protocol.frames import (
    AckHeader,
    BatchHeader,
    CreditHeader,
    RequestHeader,
    SinkEnd,
    decode_header,
    encode_header,
)


class Forwarding:
    """Forwards frames between the connected workers and the local peer. The hub's thread only.

    ``on_complete()`` is called when every batch, to the end of input, has been acknowledged;
    ``on_sink_ended(worker, end)`` when the sink has committed or aborted.
    ``on_skipped(worker, count)`` is called for each batch before its last frame is forwarded, and
    for each acknowledgement, if the nodes of the sender have skipped records so far.
    """

    def __init__(
        self,
        relay: Relay,
        links: HubLinks,
        local_peer: LocalPeer | None,
        *,
        on_complete: Callable[[], None],
        on_sink_ended: Callable[[str, SinkEnd], None],
        on_skipped: Callable[[str, int], None],
    ) -> None:
        self._relay, self._links, self._local_peer = relay, links, local_peer
        self._on_complete, self._on_sink_ended = on_complete, on_sink_ended
        self._on_skipped = on_skipped

    def take(self, worker: str, link: HubLink, frame: WireFrame) -> None:
        """Forward or process a worker's frame according to its kind.

        :raises RelayRefusedError, HeaderError, TransportError, WireError: the worker is at fault.
        """
        if frame.kind in (FrameKind.BATCH, FrameKind.END):
            header = decode_header(BatchHeader, frame.header)
            final = frame.kind is FrameKind.END
            receiver = self._relay.route(worker, header, final=final)
            if receiver is not None:
                if header.skipped and not header.more:
                    self._on_skipped(worker, header.skipped)
                self._links.send(receiver, [frame.raw])
        elif frame.kind is FrameKind.REQUEST:
            asked = decode_header(RequestHeader, frame.header)
            receiver = self._relay.pass_on(worker, asked)
            if receiver is None or receiver in self._links.gone:
                self._report_undeliverable(asked.receiver)
            else:
                self._links.send(receiver, [frame.raw])
        elif frame.kind is FrameKind.REPLY and self._local_peer is not None:
            self._local_peer.arrived(worker, frame)
        elif frame.kind is FrameKind.ACK:
            link.channel.verifier.verify(frame)
            done = decode_header(AckHeader, frame.header)
            credit = self._relay.acknowledge(worker, done)
            if done.skipped:
                self._on_skipped(worker, done.skipped)
            if done.end is not None:
                self._on_sink_ended(worker, done.end)
            if credit is not None:
                self._grant(credit)
        else:
            raise RelayRefusedError(worker, f"a {frame.kind.name} frame is not a worker's to send")

    def send_local_frames(self) -> None:
        """Send the outgoing frames of the local peer."""
        for receiver, buffers in self._local_peer.outgoing() if self._local_peer else ():
            if receiver in self._links.gone:
                self._report_undeliverable(receiver)
            else:
                self._links.send(receiver, buffers)

    def _report_undeliverable(self, worker: str) -> None:
        """Tell the local peer that requests for a disconnected worker cannot be sent."""
        if self._local_peer is not None:
            self._local_peer.lost(worker)

    def _grant(self, credit: CreditGrant) -> None:
        """Send credit to the workers that read or keep batches; report when all is acknowledged."""
        granted = encode_header(CreditHeader(credit.acknowledged))
        for worker in credit.workers:
            link = self._links.here.get(worker)
            if link is not None:
                self._links.send(worker, list(link.channel.signer.seal(FrameKind.CREDIT, granted)))
        if self._relay.complete:
            self._on_complete()
