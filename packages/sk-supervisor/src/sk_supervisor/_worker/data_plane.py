"""A worker's end of the data plane: batches and acknowledgements out, verified frames in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec
from sk_control import BootstrapKeyBundle
from sk_transport import (
    Channel,
    FrameKind,
    HandshakeFailedError,
    SequenceGuard,
    Signer,
    UnknownPeerError,
    Verifier,
    WireFrame,
)

from sk_supervisor._protocol.edges import link_keys, receivers, senders
from sk_supervisor._protocol.frames import (
    CLIENT,
    HUB,
    AckHeader,
    BatchHeader,
    CreditHeader,
    ReplyHeader,
    RequestHeader,
    SinkEnd,
    decode_header,
    encode_header,
    require_run,
    require_scenario,
)
from sk_supervisor._protocol.link_limits import LinkLimits
from sk_supervisor._protocol.worker_ids import place_of
from sk_supervisor._worker.dialling import dialled
from sk_supervisor._worker.inbox import BatchArrived, RequestArrived
from sk_supervisor._worker.replay_buffer import ReplayBuffer

if TYPE_CHECKING:  # a run that measures nothing starts without it
    from sk_supervisor._profile.measures import Profiler


class DataPlaneChannel:
    """The connection of one worker to the hub. Methods that send: main thread only.

    :param workers: the worker in each place.
    :param replay_buffer: keeps frames that may have to be sent again; None if no receiver can be
        replaced.
    :param introduction_seconds: how long a frame of an unknown sender waits for the sender's
        introduction, which arrives over the control plane.
    :param profiler: measures the channel; None to measure nothing.
    :raises TransportError: from every method, when the hub is lost or a frame is rejected.
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
        workers: Mapping[str, str],
        limits: LinkLimits,
        replay_buffer: ReplayBuffer | None = None,
        introduction_seconds: float = 0.0,
        profiler: Profiler | None = None,
    ) -> None:
        self.worker_id, self.run_id, self.scenario_id = worker_id, run_id, scenario_id
        self._session, self._limits = session, limits
        self._workers = dict(workers)
        self._make_signer = profiler.signer if profiler else Signer
        self._make_verifier = profiler.verifier if profiler else Verifier
        self._signers: dict[str, Signer] = {}
        self._verifiers: dict[str, Verifier] = {}
        self._replay_buffer, self._patience = replay_buffer, introduction_seconds
        self._introduced = threading.Condition()
        self.introduce(keys)
        self._add_receivers(keys)
        transport = limits.transport(session, worker_id)
        self._channel = dialled(
            lambda: transport.connect(
                address, server=HUB, keys=link_keys(keys), verifier_of=self._verifier_of
            ),
            lambda error: isinstance(error, HandshakeFailedError),
        )
        self._transmit, self._receive = self._channel.send, self._channel.receive
        if profiler:
            self._transmit = profiler.sending(self._transmit)
            self._receive = profiler.receiving(self._receive)

    def worker_at(self, place: str) -> str:
        """The id of the worker in a place."""
        return self._workers[place]

    @property
    def blocked_seconds(self) -> float:
        """How long sending has waited for the hub so far, in seconds."""
        return self._channel.send_waited_seconds

    def introduce(self, keys: BootstrapKeyBundle) -> None:
        """Accept frames of the workers that share these keys. Any thread.

        A known worker keeps its sequence guard: with a new one its frames could be replayed.
        """
        with self._introduced:
            for sender, key in senders(keys).items():
                if sender in self._verifiers:
                    continue
                channel = Channel(self._session, sender, self.worker_id)
                verifier = self._make_verifier(channel, key, guard=SequenceGuard())
                self._verifiers[sender] = verifier
            self._introduced.notify_all()

    def turn_to(self, worker: str, keys: BootstrapKeyBundle) -> None:
        """Send to this worker from now on in its place; resend batches not acknowledged.

        It does nothing if the worker has the place already.

        :raises TransportError: when the hub is lost.
        """
        place = place_of(worker)
        if self._workers[place] == worker:
            return
        self._add_receivers(keys)
        self._signers.pop(self._workers[place], None)
        self._workers[place] = worker
        for kept in self._replay_buffer.again(place) if self._replay_buffer else ():
            header = msgspec.structs.replace(kept.header, receiver=worker)
            self._send(header, kept.payload, final=kept.final)

    def send(self, header: BatchHeader, payload: bytes, *, final: bool) -> None:
        """Send one part of a batch, and keep it if it may have to be sent again."""
        if self._replay_buffer is not None:
            self._replay_buffer.keep(header, payload, final=final)
        self._send(header, payload, final=final)

    def _send(self, header: BatchHeader, payload: bytes, *, final: bool) -> None:
        kind = FrameKind.END if final else FrameKind.BATCH
        signer = self._signers[header.receiver]
        self._transmit(kind, encode_header(header), payload, signer=signer)

    def acknowledge(
        self, segment: int, epoch: int, end: SinkEnd | None = None, skipped: int = 0
    ) -> None:
        """Tell the hub that the sink's segment has finished a batch; ``end`` is with the last."""
        header = AckHeader(self.worker_id, segment, epoch, end, skipped)
        self._transmit(FrameKind.ACK, encode_header(header))

    def listen(
        self,
        on_batch: Callable[[BatchArrived | RequestArrived], None],
        on_credit: Callable[[int], None],
    ) -> None:
        """Receive frames until the connection ends, which always raises an error.

        :raises HeaderError: when a frame's header cannot be read, or names another run.
        """
        while True:
            frame = self._receive()
            if frame.kind is FrameKind.CREDIT:
                on_credit(decode_header(CreditHeader, frame.header).acknowledged)
            elif frame.kind is FrameKind.REQUEST:
                asked = decode_header(RequestHeader, frame.header)
                require_run(asked, self.run_id)
                on_batch(RequestArrived(asked, frame.payload))
            else:
                header = decode_header(BatchHeader, frame.header)
                require_run(header, self.run_id)
                require_scenario(header, self.scenario_id)
                on_batch(BatchArrived(header, frame.payload, frame.kind is FrameKind.END))

    def ask(self, header: RequestHeader, payload: bytes) -> None:
        """Send records of requests to another worker. The hub reports those that do not arrive."""
        signer = self._signers[header.receiver]
        self._transmit(FrameKind.REQUEST, encode_header(header), payload, signer=signer)

    def reply(self, payload: bytes) -> None:
        """Send answers to the caller."""
        header = encode_header(ReplyHeader(self.run_id))
        self._transmit(FrameKind.REPLY, header, payload, signer=self._signers[CLIENT])

    def shutdown(self) -> None:
        """Shut the connection down, which ends :meth:`listen`. Any thread."""
        self._channel.shutdown()

    def close(self) -> None:
        """Release the connection."""
        self._channel.close()

    def _verifier_of(self, frame: WireFrame) -> Verifier | None:
        """The verifier of a frame's sender; None for a frame that the hub has signed."""
        if frame.kind in (FrameKind.BATCH, FrameKind.END):
            sender = decode_header(BatchHeader, frame.header).sender
        elif frame.kind is FrameKind.REQUEST:
            sender = decode_header(RequestHeader, frame.header).sender
        else:
            return None
        verifier = self._verifiers.get(sender)
        if verifier is None:
            with self._introduced:
                self._introduced.wait_for(lambda: sender in self._verifiers, self._patience)
                verifier = self._verifiers.get(sender)
        if verifier is None:
            raise UnknownPeerError(sender)
        return verifier

    def _add_receivers(self, keys: BootstrapKeyBundle) -> None:
        for receiver, key in receivers(keys).items():
            channel = Channel(self._session, self.worker_id, receiver)
            signer = self._make_signer(channel, key, limits=self._limits.frames)
            self._signers[receiver] = signer
