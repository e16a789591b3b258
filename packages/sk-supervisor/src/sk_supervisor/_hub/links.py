"""The hub's connections, and the data that waits until each worker takes it.

Nothing here blocks: data that a worker does not take at once is kept. The amount is bounded for
batches by credit, and for requests by the number of requests in flight.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from sk_transport import Buffer, DetachedChannel

#: The buffers passed to one sendmsg, at most; far below any system's IOV_MAX.
_GATHER = 64


@dataclass(slots=True)
class HubLink:
    """One worker's connection, and the data that it has not taken yet."""

    channel: DetachedChannel
    waiting: deque[memoryview] = field(default_factory=deque)
    writing: bool = False


class HubLinks:
    """The connections ``here``, and the workers that are ``gone`` for good. The hub's thread only.

    A worker is in ``gone`` until :meth:`forget`; from then on the acceptor rejects its id.

    :param on_lost: called with the worker when its connection has been closed.
    """

    def __init__(self, selector: selectors.BaseSelector, *, on_lost: Callable[[str], None]) -> None:
        self.here: dict[str, HubLink] = {}
        self.gone: set[str] = set()
        self._early: dict[str, list[memoryview]] = {}
        self._selector, self._on_lost = selector, on_lost

    def admit(self, channel: DetachedChannel) -> bool:
        """Add a connection, and send what waits for it; False for a worker's second connection."""
        worker = channel.peer
        if worker in self.here or worker in self.gone:
            channel.sock.close()
            return False
        link = self.here[worker] = HubLink(channel)
        self._selector.register(channel.sock, selectors.EVENT_READ, worker)
        link.waiting.extend(self._early.pop(worker, ()))
        self.flush(worker, link)
        return True

    def send(self, receiver: str, buffers: list[Buffer]) -> None:
        """Send as much as possible now; the rest when the worker takes it, or connects."""
        parts = [memoryview(buffer) for buffer in buffers if len(buffer)]
        link = self.here.get(receiver)
        if link is None:
            # Keep the data for a worker that is not connected yet; drop it for one that has left,
            # which the supervisor deals with.
            if receiver not in self.gone:
                self._early.setdefault(receiver, []).extend(parts)
            return
        link.waiting.extend(parts)
        if not link.writing:
            self.flush(receiver, link)

    def forget(self, worker: str) -> None:
        """Discard the state of a worker that does not connect again."""
        self.drop(worker)
        self._early.pop(worker, None)
        self.gone.discard(worker)

    def flush(self, worker: str, link: HubLink) -> None:
        """Send waiting data as far as the socket takes it; register for the rest."""
        waiting = link.waiting
        try:
            while waiting:
                sent = link.channel.sock.sendmsg(list(islice(waiting, _GATHER)))
                while sent and sent >= len(waiting[0]):
                    sent -= len(waiting.popleft())
                if sent:
                    waiting[0] = waiting[0][sent:]
        except BlockingIOError:
            pass
        except OSError:
            # It receives nothing more; what it has sent is read to its end, which drops the link.
            waiting.clear()
            with contextlib.suppress(OSError):
                link.channel.sock.shutdown(socket.SHUT_WR)
        if link.writing != bool(waiting):
            link.writing = bool(waiting)
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if waiting else 0)
            self._selector.modify(link.channel.sock, events, worker)

    def drop(self, worker: str) -> None:
        """Close a worker's connection; its control session shows why, if no frame was at fault."""
        link = self.here.pop(worker, None)
        if link is not None:
            self.gone.add(worker)
            self._selector.unregister(link.channel.sock)
            link.channel.sock.close()
            self._on_lost(worker)

    def close(self) -> None:
        """Close all connections, when no thread uses them any more."""
        for link in self.here.values():
            link.channel.sock.close()
