"""The hub's acceptor, which accepts connections of authenticated workers one after another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from sk_transport import (
    AcceptError,
    ChannelClosedError,
    DetachedChannel,
    Listener,
    SecureTcpTransport,
)

from sk_supervisor._protocol.edges import EdgeKeys

#: The pause after the system could not accept a connection.
_ACCEPT_PAUSE_SECONDS = 0.1


class HubAcceptor:
    """Listens from construction to :meth:`close`.

    :param expected: the ids of the workers that may connect.
    :param admit: called with the connection of an authenticated worker.
    :param on_reject: called with the category when the system cannot accept a connection.
    :raises BindError: when the port cannot be bound.
    """

    def __init__(
        self,
        transport: SecureTcpTransport,
        keys: EdgeKeys,
        expected: Iterable[str],
        *,
        host: str,
        port: int,
        admit: Callable[[DetachedChannel], None],
        on_reject: Callable[[str], None],
    ) -> None:
        self._expected, self._admit, self._on_reject = set(expected), admit, on_reject
        self._closing = threading.Event()
        self._listener: Listener = transport.listen(
            lambda name: keys.link(name) if name in self._expected else None, host=host, port=port
        )

    @property
    def address(self) -> tuple[str, int]:
        """The host and port that workers connect to."""
        return self._listener.address

    def expect(self, worker: str) -> None:
        """Allow another worker to connect. Any thread."""
        self._expected.add(worker)

    def forget(self, worker: str) -> None:
        """No longer allow a worker to connect. Any thread."""
        self._expected.discard(worker)

    def attend(self) -> None:
        """Accept connections until the acceptor is closed."""
        try:
            while not self._closing.is_set():
                self._accept_one()
        except ChannelClosedError:
            return

    def close(self) -> None:
        """Accept no more connections. Any thread."""
        self._closing.set()
        self._listener.close()

    def _accept_one(self) -> None:
        try:
            channel = self._listener.accept().detach()
        except AcceptError as error:
            # The system lacks descriptors or memory, perhaps only briefly. The start timeout covers
            # a worker that is kept waiting; connected workers go on.
            self._on_reject(error.category)
            self._closing.wait(_ACCEPT_PAUSE_SECONDS)
        else:
            self._admit(channel)
