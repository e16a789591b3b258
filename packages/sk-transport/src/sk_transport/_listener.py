"""Accepting connections, and doing the handshake with each before it is returned."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections import deque
from dataclasses import dataclass

from sk_transport._decoder import FrameDecoder
from sk_transport._handshake import HandshakeLimits
from sk_transport._limits import FrameLimits
from sk_transport._rejects import RejectCounts
from sk_transport._secure_channel import SecureChannel
from sk_transport._server_handshake import ServerHandshake
from sk_transport._socket import Deadline, LockedBy, reason_of, send_parts, tune
from sk_transport._wire import WireFrame
from sk_transport.errors import (
    AcceptError,
    ChannelClosedError,
    MalformedHandshakeError,
    TransportError,
    WaitingRoomFullError,
)


@dataclass(eq=False, slots=True)
class _Pending:
    """A connection whose handshake is not done, and the deadline of the handshake."""

    sock: socket.socket
    decoder: FrameDecoder
    deadline: Deadline


class Listener:
    """A listening socket on loopback, as `SecureTcpTransport.listen` returns. A context manager.

    Handshakes run concurrently, and their number and time are limited, so that silent or hostile
    connections delay no other peer. When the limit of pending handshakes is reached, the oldest
    connection is dropped: a valid peer completes its handshake in about a millisecond.
    """

    def __init__(
        self,
        sock: socket.socket,
        handshake: ServerHandshake,
        *,
        limits: HandshakeLimits,
        frames: FrameLimits,
        rejects: RejectCounts,
    ) -> None:
        self._sock = sock
        self._handshake = handshake
        self._limits = limits
        self._frames = frames
        self._rejects = rejects
        self._pending: dict[socket.socket, _Pending] = {}  # oldest first
        self._admitted: deque[SecureChannel] = deque()
        self._closed = False
        self._accepting = threading.Lock()
        with contextlib.ExitStack() as opened:  # closes everything if a later step fails
            opened.enter_context(sock)
            self._selector = opened.enter_context(selectors.DefaultSelector())
            self._wake_in, self._wake_out = map(opened.enter_context, socket.socketpair())
            self._wake_out.setblocking(False)
            self._selector.register(self._sock, selectors.EVENT_READ)
            self._selector.register(self._wake_in, selectors.EVENT_READ)
            name = sock.getsockname()
            self._opened = opened.pop_all()
        self.address: tuple[str, int] = (name[0], name[1])

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def accept(self, timeout: float | None = None) -> SecureChannel:
        """Return the channel of the next admitted peer, whose proven identity is `channel.peer`.

        If several threads call it, one waits for connections and the others for that thread. The
        connection of a rejected peer is closed and counted in the transport's `rejects()`; the wait
        goes on. Raises `DeadlineError` after `timeout` seconds (None: never; the wait for another
        thread counts, and no peer is lost), `ChannelClosedError` after `close`, `AcceptError` if
        the system cannot accept a connection, and any exception of the lookup.
        """
        deadline = Deadline("accept", timeout)
        with LockedBy(self._accepting, deadline):
            while not self._admitted:
                if self._closed:
                    raise ChannelClosedError("this side", "the listener was closed")
                self._step(deadline)
            return self._admitted.popleft()

    def close(self) -> None:
        """Stop listening, and close every connection that no `accept` has returned yet.

        An `accept` in another thread raises `ChannelClosedError`. Idempotent.
        """
        self._closed = True
        with contextlib.suppress(OSError):
            self._wake_out.send(b"\0")
        with self._accepting:
            for pending in list(self._pending.values()):
                self._drop(pending)
            while self._admitted:
                self._admitted.popleft().close()
            self._opened.close()

    def _step(self, deadline: Deadline) -> None:
        """Wait for one round of events and handle them."""
        remaining = deadline.remaining()
        if self._pending:
            patience = self._oldest().deadline.remaining() or 0.0
            remaining = patience if remaining is None else min(remaining, patience)
        for key, _ in self._selector.select(remaining):
            if key.fileobj is self._sock:
                self._accept_backlog()
            elif pending := self._pending.get(key.fileobj):  # type: ignore[call-overload]
                self._advance(pending)
        # Last, so that a peer whose HELLO has arrived is not dropped because `accept` came late.
        self._expire()
        if not self._admitted and deadline.remaining() == 0:
            raise deadline.error()

    def _oldest(self) -> _Pending:
        return next(iter(self._pending.values()))

    def _accept_backlog(self) -> None:
        """Begin the handshake with every connection that the system has ready."""
        while True:
            try:
                sock, _ = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                raise AcceptError(reason_of(error)) from None
            try:
                tune(sock)
            except OSError:
                sock.close()  # the peer has already closed the connection
                continue
            deadline = Deadline("a handshake", self._limits.timeout_seconds)
            pending = _Pending(sock, FrameDecoder(self._limits.frames), deadline)
            self._pending[sock] = pending
            self._selector.register(sock, selectors.EVENT_READ)
            self._advance(pending)  # usually the HELLO has already arrived
            if len(self._pending) > self._limits.max_waiting:
                self._make_room(self._oldest())

    def _make_room(self, oldest: _Pending) -> None:
        # In a flood its HELLO may have arrived without having been read yet; read it before
        # dropping the connection.
        self._advance(oldest)
        if oldest.sock in self._pending:
            self._refuse(oldest, WaitingRoomFullError(self._limits.max_waiting))

    def _expire(self) -> None:
        for pending in list(self._pending.values()):
            if pending.deadline.remaining() != 0:
                return  # the following connections are younger
            self._refuse(pending, pending.deadline.error())

    def _advance(self, pending: _Pending) -> None:
        """Read the received bytes of a connection; admit it, refuse it, or leave it pending."""
        try:
            frames = self._read(pending)
            if frames:
                self._admitted.append(self._admit(pending, frames))
        except TransportError as error:
            self._refuse(pending, error)
        except OSError:
            self._drop(pending)  # the peer has closed the connection: no refusal to count

    def _read(self, pending: _Pending) -> list[WireFrame]:
        try:
            count = pending.sock.recv_into(pending.decoder.buffer())
        except BlockingIOError:
            return []
        if count:
            return pending.decoder.advance(count)
        pending.decoder.finish()
        raise ConnectionResetError

    def _admit(self, pending: _Pending, frames: list[WireFrame]) -> SecureChannel:
        if len(frames) > 1 or not pending.decoder.at_boundary():
            raise MalformedHandshakeError("more was sent before the WELCOME than one HELLO")
        peer = self._handshake.accept(frames[0])
        send_parts(pending.sock, peer.reply, Deadline("a WELCOME", 0))
        self._forget(pending)
        return SecureChannel(
            pending.sock, peer.signer, peer.verifier, limits=self._frames, rejects=self._rejects
        )

    def _refuse(self, pending: _Pending, error: TransportError) -> None:
        self._rejects.add(error)
        self._drop(pending)

    def _drop(self, pending: _Pending) -> None:
        self._forget(pending)
        pending.sock.close()

    def _forget(self, pending: _Pending) -> None:
        self._selector.unregister(pending.sock)
        del self._pending[pending.sock]
