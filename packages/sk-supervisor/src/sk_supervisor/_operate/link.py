"""One client connection of the admin socket: its received request and its unsent answer."""

from __future__ import annotations

import socket

from sk_supervisor._operate.protocol import REQUEST_BYTES, Response, line


class Link:
    """A non-blocking connection.

    :param due: the time by ``time.monotonic`` at which the connection is closed in any state. The
        attribute is None once the client waits for the end of the run.
    """

    def __init__(self, sock: socket.socket, due: float) -> None:
        self.socket = sock
        self.due: float | None = due
        self.waiting = False
        self._received = b""
        self._left = memoryview(b"")
        sock.setblocking(False)

    @property
    def answering(self) -> bool:
        """Whether part of an answer is still to be sent."""
        return len(self._left) > 0

    def receive(self) -> bytes | None:
        """The request once it has arrived completely, cut to `REQUEST_BYTES`; until then None.

        :raises OSError: when the client has disconnected, or sends anything while it waits.
        """
        try:
            data = self.socket.recv(REQUEST_BYTES)
        except BlockingIOError:
            return None
        if not data or self.waiting:
            raise ConnectionResetError
        self._received += data
        request, end, _ = self._received.partition(b"\n")
        if end or len(request) >= REQUEST_BYTES:
            return request[:REQUEST_BYTES]
        return None

    def wait(self) -> None:
        """Keep this client, without a timeout, until the run has ended."""
        self.waiting, self.due = True, None

    def answer(self, answer: Response) -> None:
        """Set the one answer that :meth:`send` sends."""
        self._left = memoryview(line(answer))

    def send(self) -> bool:
        """Send as much as the socket accepts; return whether the answer is sent completely.

        :raises OSError: when the client has disconnected.
        """
        try:
            self._left = self._left[self.socket.send(self._left) :]
        except BlockingIOError:
            return False
        return not self.answering
