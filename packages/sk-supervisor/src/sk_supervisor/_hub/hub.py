"""The hub: one thread that relays frames between the workers, and never decodes a payload.

It never blocks on a write while there is data to read, and runs no code of an application.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from sk_kernel import WireError
from sk_transport import DetachedChannel, TransportError

from sk_supervisor._hub.acceptor import HubAcceptor
from sk_supervisor._hub.forwarding import Forwarding
from sk_supervisor._hub.links import HubLink, HubLinks
from sk_supervisor._hub.local_peer import LocalPeer
from sk_supervisor._hub.relay import Relay
from sk_supervisor._peer_errors import HeaderError, RelayRefusedError
from sk_supervisor._protocol.edges import EdgeKeys
from sk_supervisor._protocol.failures import PROTOCOL, TRANSPORT
from sk_supervisor._protocol.frames import HUB, SinkEnd
from sk_supervisor._protocol.link_limits import LinkLimits
from sk_supervisor._system.threads import begin, begun

#: How long close() waits for the local peer's thread, which may run code of the application.
_PATIENCE_SECONDS: Final = 1.0


class DataHub:
    """Listens on loopback, and relays frames. The callbacks are called in the hub's threads.

    :param on_fault: ``(worker_id, category, message)``: a worker's fault, of category ``transport``
        or ``protocol``; with an empty id the hub's own fault, after which it relays nothing.
    :param on_reject: ``(category)``: each frame or peer that is rejected, by the transport's finer
        category.
    :param on_complete: called when every batch, to the end of input, has been acknowledged.
    :param on_sink_ended: ``(worker_id, end)``: the sink has committed or aborted.
    :param on_skipped: ``(worker_id, count)``: before the last frame of a batch is forwarded, and
        for each acknowledgement, if the sender has skipped ``count`` records so far.
    :param on_left: ``(worker_id)``: the worker's connection is closed; no more frames of it come.
    :param local_peer: receives the REPLY frames.
    :raises BindError: when the port cannot be bound.
    :raises OSError: when the system has no file descriptor left; then none is left open.
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
        on_sink_ended: Callable[[str, SinkEnd], None] = lambda *_: None,
        on_skipped: Callable[[str, int], None] = lambda *_: None,
        on_left: Callable[[str], None] = lambda _: None,
        local_peer: LocalPeer | None = None,
    ) -> None:
        self._on_fault, self._on_reject, self._on_left = on_fault, on_reject, on_left
        self._local_peer = local_peer
        transport = limits.transport(session, HUB, on_reject)
        self._admitted: deque[DetachedChannel] = deque()
        self._forgotten: deque[str] = deque()
        self._closing = threading.Event()
        with contextlib.ExitStack() as opened:
            self._selector = opened.enter_context(selectors.DefaultSelector())
            self._wake_in, self._wake_out = socket.socketpair()
            opened.enter_context(self._wake_in)
            opened.enter_context(self._wake_out)
            self._wake_out.setblocking(False)
            self._selector.register(self._wake_in, selectors.EVENT_READ)
            self._acceptor = HubAcceptor(
                transport,
                keys,
                expected,
                host=host,
                port=port,
                admit=self._let_in,
                on_reject=on_reject,
            )
            opened.pop_all()  # the hub closes them from now on
        self._links = HubLinks(self._selector, on_lost=self._lost)
        self._forwarding = Forwarding(
            relay,
            self._links,
            local_peer,
            on_complete=on_complete,
            on_sink_ended=on_sink_ended,
            on_skipped=on_skipped,
        )
        self._threads = [
            self._thread("hub accept", self._acceptor.attend),
            self._thread("hub relay", self._relay_frames),
        ]
        self._peers_thread = self._thread("hub replies", local_peer.attend) if local_peer else None

    @property
    def address(self) -> tuple[str, int]:
        """The host and port that workers connect to."""
        return self._acceptor.address

    def expect(self, worker: str) -> None:
        """Allow another worker to connect. Any thread."""
        self._acceptor.expect(worker)

    def forget(self, worker: str) -> None:
        """Discard the state of a replaced worker, and no longer allow it to connect. Any thread.

        Nothing may be sent to it any more, as another worker is in its place.
        """
        self._acceptor.forget(worker)
        self._forgotten.append(worker)
        self.wake()

    def start(self) -> None:
        """Begin to accept and to relay.

        :raises OSError: when the system cannot start a thread; close the hub then.
        """
        for thread in filter(None, (*self._threads, self._peers_thread)):
            begin(thread)

    def wake(self) -> None:
        """Have the hub's thread send the local peer's outgoing frames. Any thread."""
        with contextlib.suppress(OSError):
            self._wake_out.send(b"\0")

    def close(self) -> None:
        """End the threads and close every connection; wait a second for the local peer's thread."""
        self._closing.set()
        self._acceptor.close()
        self.wake()
        for thread in self._threads:
            if begun(thread):
                thread.join()
        if self._local_peer is not None:
            self._local_peer.leave()
        if self._peers_thread is not None and begun(self._peers_thread):
            self._peers_thread.join(_PATIENCE_SECONDS)
        self._links.close()
        for channel in self._admitted:
            channel.sock.close()
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()

    def _thread(self, name: str, work: Callable[[], None]) -> threading.Thread:
        return threading.Thread(target=self._guarded, args=(work,), name=name, daemon=True)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            # Without this thread every worker would wait for ever.
            name = threading.current_thread().name
            self._on_fault("", "internal", f"{type(error).__name__} in {name}")
            raise

    def _let_in(self, channel: DetachedChannel) -> None:
        self._admitted.append(channel)
        self.wake()

    def _relay_frames(self) -> None:
        here = self._links.here
        while not self._closing.is_set():
            for key, mask in self._selector.select():
                if key.data is None:
                    self._wake_in.recv(4096)
                    self._admit()
                    while self._forgotten:
                        self._links.forget(self._forgotten.popleft())
                    self._forwarding.send_local_frames()
                    continue
                worker: str = key.data
                link = here.get(worker)
                if link is not None and mask & selectors.EVENT_READ:
                    self._read(worker, link)
                if mask & selectors.EVENT_WRITE and worker in here:
                    self._links.flush(worker, here[worker])

    def _admit(self) -> None:
        while self._admitted:
            channel = self._admitted.popleft()
            if not self._links.admit(channel):
                self._on_reject(PROTOCOL)
                self._on_fault(channel.peer, PROTOCOL, "a second data connection was refused")

    def _read(self, worker: str, link: HubLink) -> None:
        decoder = link.channel.decoder
        try:
            count = link.channel.sock.recv_into(decoder.buffer())
            if not count:
                self._links.drop(worker)  # in mid-frame too: it was killed, as its exit will show
                return
            for frame in decoder.advance(count):
                self._forwarding.take(worker, link, frame)
        except BlockingIOError:
            return
        except OSError:
            self._links.drop(worker)
        except TransportError as error:
            self._fail(worker, TRANSPORT, f"{error.category}: {error}", error.category)
        except (RelayRefusedError, HeaderError, WireError) as error:
            self._fail(worker, PROTOCOL, str(error), PROTOCOL)

    def _lost(self, worker: str) -> None:
        if self._local_peer is not None:
            self._local_peer.lost(worker)
        self._on_left(worker)

    def _fail(self, worker: str, category: str, message: str, refusal: str) -> None:
        self._links.drop(worker)
        self._on_reject(refusal)
        self._on_fault(worker, category, message)
