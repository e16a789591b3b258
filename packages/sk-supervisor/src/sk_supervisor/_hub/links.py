"""The hub's connections: what is sent to each worker, and what waits until it takes it.

Nothing here waits itself: what a worker does not take at once is kept. Credit bounds how much that
can be of batches, and the number of requests in flight how much of these.
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

#: Buffers handed to one sendmsg; far below any system's IOV_MAX.
_GATHER = 64


@dataclass(slots=True)
class HubLink:
    """One worker's connection, and what it has not taken yet."""

    channel: DetachedChannel
    waiting: deque[memoryview] = field(default_factory=deque)
    writing: bool = False


class HubLinks:
    """Who is ``here``, and who is ``gone`` and does not come again. Of the hub's thread alone.

    Who is gone is known until :meth:`forget`: the acceptor lets nobody in by that name then.

    ``on_lost(worker)``: when a connection has been let go.
    """

    def __init__(self, selector: selectors.BaseSelector, *, on_lost: Callable[[str], None]) -> None:
        self.here: dict[str, HubLink] = {}
        self.gone: set[str] = set()
        self._early: dict[str, list[memoryview]] = {}
        self._selector, self._on_lost = selector, on_lost

    def admit(self, channel: DetachedChannel) -> bool:
        """Take a connection in, with what waits for it; False for the second one of a worker."""
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
        """Send what can be sent at once; the rest when the worker takes it, or comes."""
        parts = [memoryview(buffer) for buffer in buffers if len(buffer)]
        link = self.here.get(receiver)
        if link is None:
            # A worker that is not here yet is waited for; one that has left takes nothing more, and
            # its leaving is for the supervisor to judge.
            if receiver not in self.gone:
                self._early.setdefault(receiver, []).extend(parts)
            return
        link.waiting.extend(parts)
        if not link.writing:
            self.flush(receiver, link)

    def forget(self, worker: str) -> None:
        """Let go of all that is known of a worker that does not come again."""
        self.drop(worker)
        self._early.pop(worker, None)
        self.gone.discard(worker)

    def flush(self, worker: str, link: HubLink) -> None:
        """Send what waits, as far as it is taken; the selector tells when there is more room."""
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
            # It hears nothing more; what it has said is read to its end, which lets the link go.
            waiting.clear()
            with contextlib.suppress(OSError):
                link.channel.sock.shutdown(socket.SHUT_WR)
        if link.writing != bool(waiting):
            link.writing = bool(waiting)
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if waiting else 0)
            self._selector.modify(link.channel.sock, events, worker)

    def drop(self, worker: str) -> None:
        """Let a worker's connection go; its control session tells why, where no frame did."""
        link = self.here.pop(worker, None)
        if link is not None:
            self.gone.add(worker)
            self._selector.unregister(link.channel.sock)
            link.channel.sock.close()
            self._on_lost(worker)

    def close(self) -> None:
        """Hang up on everybody, once no thread uses them any more."""
        for link in self.here.values():
            link.channel.sock.close()
