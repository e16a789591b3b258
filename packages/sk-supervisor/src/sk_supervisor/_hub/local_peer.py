"""A peer of the workers in the hub's own process, which needs no connection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from sk_transport import Buffer, WireFrame


class LocalPeer(Protocol):
    """A peer in the hub's own process. Called in the hub's thread; must neither block nor raise.

    Only :meth:`arrived` may raise TransportError, WireError or RelayRefusedError: the worker is at
    fault then. Slow work, and all code of an application, must run in :meth:`attend`.
    """

    def outgoing(self) -> Iterable[tuple[str, list[Buffer]]]:
        """The frames to send, with their receivers; called after :meth:`DataHub.wake`."""

    def arrived(self, worker: str, frame: WireFrame) -> None:
        """Take a frame of a worker, which is still to be verified."""

    def lost(self, worker: str) -> None:
        """Note that a worker is gone, or that data for it could not be sent."""

    def attend(self) -> None:
        """Process what has arrived, until :meth:`leave`; called in a thread of its own."""

    def leave(self) -> None:
        """Let :meth:`attend` return. Any thread."""
