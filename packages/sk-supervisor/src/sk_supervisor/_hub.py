"""The hub: one thread that relays frames between the workers, and never decodes a payload.

It never blocks on a write while there is something to read: what a worker does not take at once
waits here, and credit bounds how much that can be.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from sk_kernel import WireError
from sk_transport import (
    AcceptError,
    Buffer,
    ChannelClosedError,
    DetachedChannel,
    FrameKind,
    Listener,
    TransportError,
    WireFrame,
)

from sk_supervisor._edges import EdgeKeys
from sk_supervisor._frames import (
    HUB,
    AckHeader,
    BatchHeader,
    CreditHeader,
    HeaderError,
    RequestHeader,
    decode_header,
    encode_header,
)
from sk_supervisor._link_limits import LinkLimits
from sk_supervisor._relay import Credit, Relay, RelayRefusedError

#: Buffers handed to one sendmsg; far below any system's IOV_MAX.
_GATHER = 64
#: How long nothing is accepted when the system cannot.
_ACCEPT_PAUSE_SECONDS = 0.1


@dataclass(slots=True)
class _Peer:
    link: DetachedChannel
    waiting: deque[memoryview] = field(default_factory=deque)
    writing: bool = False


class Guest(Protocol):
    """A peer in the hub's own process. Called from the hub's thread; must neither block nor raise.

    What it raises of a worker's frame, a TransportError or WireError, is that worker's fault.
    """

    def outgoing(self) -> Iterable[tuple[str, list[Buffer]]]:
        """What it has to send, by receiver; asked for after :meth:`DataHub.wake`."""

    def arrived(self, worker: str, frame: WireFrame) -> None:
        """A worker has sent it a frame, which is still to be verified."""

    def lost(self, worker: str) -> None:
        """A worker is gone, or something that was for it went astray."""


class DataHub:
    """Listens on loopback and relays. ``on_fault(worker_id, category, message)``: from its threads.

    A fault without a worker is the hub's own: it relays nothing any more. ``on_reject(category)``:
    of every frame and peer that is refused, from its threads. ``on_complete()``: when everything,
    to the end of input, has been acknowledged. REPLY frames are the ``guest``'s.

    :raises BindError: when the port cannot be had.
    """

    def __init__(
        self,
        relay: Relay,
        keys: EdgeKeys,
        *,
        session: str,
        expected: Iterable[str],
        host: str,
        port: int,
        limits: LinkLimits,
        on_fault: Callable[[str, str, str], None],
        on_reject: Callable[[str], None] = lambda _: None,
        on_complete: Callable[[], None] = lambda: None,
        guest: Guest | None = None,
    ) -> None:
        self._guest = guest
        self._expected, self._on_complete = set(expected), on_complete
        self._relay, self._on_fault, self._on_reject = relay, on_fault, on_reject
        self._transport = limits.transport(session, HUB, on_reject)
        self._listener: Listener = self._transport.listen(
            lambda name: keys.link(name) if name in self._expected else None, host=host, port=port
        )
        self._peers: dict[str, _Peer] = {}
        self._early: dict[str, list[memoryview]] = {}
        self._gone: set[str] = set()
        self._admitted: deque[DetachedChannel] = deque()
        self._closing = threading.Event()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_out.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        self._threads = [
            threading.Thread(target=self._accept, name="hub accept", daemon=True),
            threading.Thread(target=self._run, name="hub relay", daemon=True),
        ]

    @property
    def address(self) -> tuple[str, int]:
        """Where workers dial."""
        return self._listener.address

    def expect(self, worker: str) -> None:
        """Let another worker in. Any thread."""
        self._expected.add(worker)

    def start(self) -> None:
        """Begin to accept and to relay."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Ask the guest for what it has to send. Any thread."""
        with contextlib.suppress(OSError):
            self._wake_out.send(b"\0")

    def close(self) -> None:
        """End both threads and every connection."""
        self._closing.set()
        self._listener.close()
        self.wake()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        for peer in self._peers.values():
            peer.link.sock.close()
        for link in self._admitted:
            link.sock.close()
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()

    def _accept(self) -> None:
        try:
            while not self._closing.is_set():
                self._accept_one()
        except ChannelClosedError:
            return
        except Exception as error:
            self._broke(error)
            raise

    def _accept_one(self) -> None:
        try:
            self._admitted.append(self._listener.accept().detach())
        except AcceptError as error:
            # The system has none to give (descriptors, memory): it may soon. A worker that is kept
            # waiting is judged by its start timeout; those that are here go on.
            self._on_reject(error.category)
            self._closing.wait(_ACCEPT_PAUSE_SECONDS)
            return
        self.wake()

    def _broke(self, error: Exception) -> None:
        # Without this thread every worker would wait for ever.
        self._on_fault(
            "", "internal", f"{type(error).__name__} in {threading.current_thread().name}"
        )

    def _run(self) -> None:
        try:
            self._relay_frames()
        except Exception as error:
            self._broke(error)
            raise

    def _relay_frames(self) -> None:
        while not self._closing.is_set():
            for key, mask in self._selector.select():
                if key.data is None:
                    self._wake_in.recv(4096)
                    self._admit()
                    self._send_for_guest()
                    continue
                worker: str = key.data
                peer = self._peers.get(worker)
                if peer is not None and mask & selectors.EVENT_READ:
                    self._read(worker, peer)
                if mask & selectors.EVENT_WRITE and worker in self._peers:
                    self._flush(worker, self._peers[worker])

    def _send_for_guest(self) -> None:
        for receiver, buffers in self._guest.outgoing() if self._guest else ():
            if receiver in self._gone:
                self._miss(receiver)
            else:
                self._send(receiver, buffers)

    def _miss(self, worker: str) -> None:
        if self._guest is not None:
            self._guest.lost(worker)

    def _admit(self) -> None:
        while self._admitted:
            link = self._admitted.popleft()
            worker = link.peer
            if worker in self._peers or worker in self._gone:
                link.sock.close()
                self._on_reject("protocol")
                self._on_fault(worker, "protocol", "a second data connection was refused")
                continue
            peer = self._peers[worker] = _Peer(link)
            self._selector.register(link.sock, selectors.EVENT_READ, worker)
            peer.waiting.extend(self._early.pop(worker, ()))
            self._flush(worker, peer)

    def _read(self, worker: str, peer: _Peer) -> None:
        decoder = peer.link.decoder
        try:
            count = peer.link.sock.recv_into(decoder.buffer())
            if not count:
                self._drop(worker)  # in mid-frame too: it was killed, and its exit tells how
                return
            for frame in decoder.advance(count):
                self._take(worker, peer, frame)
        except BlockingIOError:
            return
        except OSError:
            self._drop(worker)
        except TransportError as error:
            self._fail(worker, error.category, str(error))
        except (RelayRefusedError, HeaderError, WireError) as error:
            self._fail(worker, "protocol", str(error))

    def _take(self, worker: str, peer: _Peer, frame: WireFrame) -> None:
        if frame.kind in (FrameKind.BATCH, FrameKind.END):
            header = decode_header(BatchHeader, frame.header)
            final = frame.kind is FrameKind.END
            receiver = self._relay.route(worker, header, len(frame.raw), final=final)
            if receiver is not None:
                self._send(receiver, [frame.raw])
            elif self._relay.was_replaced(header.receiver):
                self._early.pop(header.receiver, None)  # and before it ever came
        elif frame.kind is FrameKind.REQUEST:
            asked = decode_header(RequestHeader, frame.header)
            receiver = self._relay.pass_on(worker, asked, len(frame.raw))
            if receiver is None or receiver in self._gone:
                self._miss(asked.receiver)
            else:
                self._send(receiver, [frame.raw])
        elif frame.kind is FrameKind.REPLY and self._guest is not None:
            self._guest.arrived(worker, frame)
        elif frame.kind is FrameKind.ACK:
            peer.link.verifier.verify(frame)
            credit = self._relay.acknowledge(worker, decode_header(AckHeader, frame.header))
            if credit is not None:
                self._grant(credit)
        else:
            raise RelayRefusedError(worker, f"a {frame.kind.name} frame is not a worker's to send")

    def _grant(self, credit: Credit) -> None:
        granted = encode_header(CreditHeader(credit.acknowledged))
        for worker in credit.workers:
            peer = self._peers.get(worker)
            if peer is not None:
                self._send(worker, list(peer.link.signer.seal(FrameKind.CREDIT, granted)))
        if self._relay.complete:
            self._on_complete()

    def _send(self, receiver: str, buffers: list[Buffer]) -> None:
        parts = [memoryview(buffer) for buffer in buffers if len(buffer)]
        peer = self._peers.get(receiver)
        if peer is None:
            # A worker that is not here yet is waited for; one that has left takes nothing more, and
            # its leaving is for the supervisor to judge.
            if receiver not in self._gone:
                self._early.setdefault(receiver, []).extend(parts)
            return
        peer.waiting.extend(parts)
        if not peer.writing:
            self._flush(receiver, peer)

    def _flush(self, worker: str, peer: _Peer) -> None:
        waiting = peer.waiting
        try:
            while waiting:
                sent = peer.link.sock.sendmsg(list(islice(waiting, _GATHER)))
                while sent and sent >= len(waiting[0]):
                    sent -= len(waiting.popleft())
                if sent:
                    waiting[0] = waiting[0][sent:]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(worker)
            return
        if peer.writing != bool(waiting):
            peer.writing = bool(waiting)
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if waiting else 0)
            self._selector.modify(peer.link.sock, events, worker)

    def _fail(self, worker: str, category: str, message: str) -> None:
        self._drop(worker)
        self._on_reject(category)
        self._on_fault(worker, category, message)

    def _drop(self, worker: str) -> None:
        """Let a worker's connection go; its control session tells why, where no frame did."""
        peer = self._peers.pop(worker, None)
        if peer is not None:
            self._gone.add(worker)
            self._selector.unregister(peer.link.sock)
            peer.link.sock.close()
            self._miss(worker)
