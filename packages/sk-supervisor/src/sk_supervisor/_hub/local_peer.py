"""A peer of the workers in the hub's own process, which needs no connection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from sk_transport import Buffer, WireFrame


class LocalPeer(Protocol):
    """A peer in the hub's own process. Called from the hub's thread; must neither block nor raise.

    What it raises of a worker's frame, a TransportError, WireError or RelayRefusedError, is that
    worker's fault. What may take its time, and all code of an application, is for :meth:`attend`.
    """

    def outgoing(self) -> Iterable[tuple[str, list[Buffer]]]:
        """What it has to send, by receiver; asked for after :meth:`DataHub.wake`."""

    def arrived(self, worker: str, frame: WireFrame) -> None:
        """A worker has sent it a frame, which is still to be verified."""

    def lost(self, worker: str) -> None:
        """A worker is gone, or something that was for it went astray."""

    def attend(self) -> None:
        """Do the rest of what has come, until :meth:`leave`; called in a thread of its own."""

    def leave(self) -> None:
        """Let :meth:`attend` return. Any thread."""
