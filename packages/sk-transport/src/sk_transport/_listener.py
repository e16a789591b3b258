"""Accepting connections, and doing the handshake with each before its owner gets to see it."""

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
    """A connection whose handshake is not done, and until when it has to be."""

    sock: socket.socket
    decoder: FrameDecoder
    deadline: Deadline


class Listener:
    """A listening socket on loopback; made by `SecureTcpTransport.listen`. A context manager.

    Handshakes are done side by side, in a waiting room of limited size and time, so that silent or
    hostile connections delay nobody. When the room is full, the oldest connection in it is dropped:
    an honest peer is through in a millisecond.
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
        with contextlib.ExitStack() as opened:  # all of it, or nothing is left open
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
        """Return the next admitted peer's channel; its proven identity is `channel.peer`.

        Of several threads that call it, one waits and the others queue. A peer that is refused is
        hung up on and counted in the transport's `rejects()`; the wait goes on. Raises
        `DeadlineError` after `timeout` seconds (None: never; the time in the queue counts, and
        nothing is lost), `ChannelClosedError` once closed, `AcceptError` for the system's faults,
        and what the lookup raises.
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

        An `accept` in another thread is woken. Idempotent.
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
        # Last, so that a peer whose HELLO is here does not suffer from a late call of `accept`.
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
                sock.close()  # it hung up already
                continue
            deadline = Deadline("a handshake", self._limits.timeout_seconds)
            pending = _Pending(sock, FrameDecoder(self._limits.frames), deadline)
            self._pending[sock] = pending
            self._selector.register(sock, selectors.EVENT_READ)
            self._advance(pending)  # the HELLO is mostly here already
            if len(self._pending) > self._limits.max_waiting:
                self._make_room(self._oldest())

    def _make_room(self, oldest: _Pending) -> None:
        # In a flood this loop may not have come to its HELLO yet: an honest peer's is here by now.
        self._advance(oldest)
        if oldest.sock in self._pending:
            self._refuse(oldest, WaitingRoomFullError(self._limits.max_waiting))

    def _expire(self) -> None:
        for pending in list(self._pending.values()):
            if pending.deadline.remaining() != 0:
                return  # those behind it have come later
            self._refuse(pending, pending.deadline.error())

    def _advance(self, pending: _Pending) -> None:
        """Read what has arrived on a connection; admit it, refuse it, or leave it waiting."""
        try:
            frames = self._read(pending)
            if frames:
                self._admitted.append(self._admit(pending, frames))
        except TransportError as error:
            self._refuse(pending, error)
        except OSError:
            self._drop(pending)  # it hung up: nobody to refuse

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
