"""The hub's acceptor: who dials and shows the right key is let in, one connection after another."""

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

#: How long nothing is accepted when the system cannot.
_ACCEPT_PAUSE_SECONDS = 0.1


class HubAcceptor:
    """Listens from construction to ``close``.

    :param expected: the workers that are let in.
    :param admit: takes the connection of one that has come.
    :param on_reject: hears the category where the system has no room for one.
    :raises BindError: when the port cannot be had.
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
        """Where workers dial."""
        return self._listener.address

    def expect(self, worker: str) -> None:
        """Let another worker in. Any thread."""
        self._expected.add(worker)

    def forget(self, worker: str) -> None:
        """Let a worker in no more. Any thread."""
        self._expected.discard(worker)

    def attend(self) -> None:
        """Let in who comes, until the acceptor is closed."""
        try:
            while not self._closing.is_set():
                self._accept_one()
        except ChannelClosedError:
            return

    def close(self) -> None:
        """Let nobody in any more. Any thread."""
        self._closing.set()
        self._listener.close()

    def _accept_one(self) -> None:
        try:
            channel = self._listener.accept().detach()
        except AcceptError as error:
            # The system has none to give (descriptors, memory): it may soon. A worker that is kept
            # waiting is judged by its start timeout; those that are here go on.
            self._on_reject(error.category)
            self._closing.wait(_ACCEPT_PAUSE_SECONDS)
        else:
            self._admit(channel)
