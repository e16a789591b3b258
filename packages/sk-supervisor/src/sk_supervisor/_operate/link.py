"""One client of the admin socket: what it has sent, and what it has not been told yet."""

from __future__ import annotations

import socket

from sk_supervisor._operate.protocol import REQUEST_BYTES, Response, line


class Link:
    """A connection that never blocks.

    :param due: when it is dropped, whatever it is at; None once it waits for the end of the run.
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
        """Whether there is something to be sent."""
        return len(self._left) > 0

    def receive(self) -> bytes | None:
        """The request, once it is here as a whole; what is too long is one that is cut.

        :raises OSError: when nobody is there any more, or says something when there is nothing to.
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
        """Be told when the run has ended."""
        self.waiting, self.due = True, None

    def answer(self, answer: Response) -> None:
        """Have this sent, and nothing after it."""
        self._left = memoryview(line(answer))

    def send(self) -> bool:
        """Send what the socket takes; whether that was all.

        :raises OSError: when nobody is there any more.
        """
        try:
            self._left = self._left[self.socket.send(self._left) :]
        except BlockingIOError:
            return False
        return not self.answering
