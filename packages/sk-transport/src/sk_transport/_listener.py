"""Accepting connections: only peers that have proven who they are come out of here."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass

from sk_transport._decoder import FrameDecoder
from sk_transport._handshake import HandshakeLimits
from sk_transport._limits import FrameLimits
from sk_transport._rejects import RejectCounts
from sk_transport._secure_channel import SecureChannel
from sk_transport._server_handshake import ServerHandshake
from sk_transport._socket import Deadline, reason_of, send_parts, tune
from sk_transport._wire import WireFrame
from sk_transport.errors import (
    AcceptError,
    ChannelClosedError,
    DeadlineError,
    MalformedHandshakeError,
    TransportError,
    WaitingRoomFullError,
)


@dataclass(eq=False, slots=True)
class _Guest:
    """A connection whose handshake is not done."""

    sock: socket.socket
    decoder: FrameDecoder
    until: float


class Listener:
    """A listening socket on loopback; made by `SecureTcpTransport.listen`. A context manager.

    Handshakes are done side by side, in a waiting room of limited size and time: silent or hostile
    connections delay nobody. When the room is full the oldest guest goes, since an honest one is
    through in a millisecond.
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
        self._guests: dict[socket.socket, _Guest] = {}  # oldest first
        self._admitted: deque[SecureChannel] = deque()
        self._closed = False
        self._accepting = threading.Lock()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_out.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._sock, selectors.EVENT_READ)
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        name = sock.getsockname()
        self.address: tuple[str, int] = (name[0], name[1])

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def accept(self, timeout: float | None = None) -> SecureChannel:
        """Return the next admitted peer's channel; its proven identity is `channel.peer`.

        One thread at a time. Peers that are refused are hung up on and counted in the transport's
        rejects, and do not end the wait. Raises `DeadlineError` after `timeout` seconds,
        `ChannelClosedError` once closed, `AcceptError` for the system's faults.
        """
        deadline = Deadline("accept", timeout)
        with self._accepting:
            while not self._admitted:
                if self._closed:
                    raise ChannelClosedError("this side", "the listener was closed")
                self._step(deadline)
            return self._admitted.popleft()

    def close(self) -> None:
        """Stop listening and drop whoever is not admitted; an `accept` in another thread is woken.

        Idempotent.
        """
        self._closed = True
        with contextlib.suppress(OSError):
            self._wake_out.send(b"\0")
        with self._accepting:
            for guest in list(self._guests.values()):
                self._dismiss(guest)
            while self._admitted:
                self._admitted.popleft().close()
            self._selector.close()
            for sock in (self._sock, self._wake_in, self._wake_out):
                sock.close()

    def _step(self, deadline: Deadline) -> None:
        """Wait for one round of events and handle them."""
        remaining = deadline.remaining()
        if self._guests:
            oldest = next(iter(self._guests.values()))
            patience = max(0.0, oldest.until - time.monotonic())
            remaining = patience if remaining is None else min(remaining, patience)
        ready = self._selector.select(remaining)
        if not ready and deadline.remaining() == 0:
            raise deadline.error()
        for key, _ in ready:
            if key.fileobj is self._sock:
                self._welcome_guests()
            elif guest := self._guests.get(key.fileobj):  # type: ignore[call-overload]
                self._attend(guest)
        # Last, so that a guest whose HELLO is here is not blamed for an `accept` that was called
        # late.
        self._expire(time.monotonic())

    def _welcome_guests(self) -> None:
        """Let in every connection that waits in the backlog."""
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
            until = time.monotonic() + self._limits.timeout_seconds
            guest = _Guest(sock, FrameDecoder(self._limits.frames), until)
            self._guests[sock] = guest
            self._selector.register(sock, selectors.EVENT_READ)
            self._attend(guest)  # the HELLO is mostly here already
            if len(self._guests) > self._limits.max_waiting:
                self._make_room(next(iter(self._guests.values())))

    def _make_room(self, oldest: _Guest) -> None:
        # In a flood this loop may not have come to its HELLO yet: an honest guest's is here by now.
        self._attend(oldest)
        if oldest.sock in self._guests:
            self._refuse(oldest, WaitingRoomFullError(self._limits.max_waiting))

    def _expire(self, now: float) -> None:
        for guest in [guest for guest in self._guests.values() if guest.until <= now]:
            self._refuse(guest, DeadlineError("a handshake", self._limits.timeout_seconds))

    def _attend(self, guest: _Guest) -> None:
        """Read what a guest has sent; admit it, refuse it, or go on waiting."""
        try:
            frames = self._read(guest)
            if frames:
                self._admitted.append(self._admit(guest, frames))
        except TransportError as error:
            self._refuse(guest, error)
        except OSError:
            self._dismiss(guest)  # it hung up: nobody to refuse

    def _read(self, guest: _Guest) -> list[WireFrame]:
        try:
            count = guest.sock.recv_into(guest.decoder.buffer())
        except BlockingIOError:
            return []
        if count:
            return guest.decoder.advance(count)
        guest.decoder.finish()
        raise ConnectionResetError

    def _admit(self, guest: _Guest, frames: list[WireFrame]) -> SecureChannel:
        if len(frames) > 1 or not guest.decoder.at_boundary():
            raise MalformedHandshakeError("more was sent before the WELCOME than one HELLO")
        peer = self._handshake.accept(frames[0])
        send_parts(guest.sock, peer.reply, Deadline("a WELCOME", 0))
        self._selector.unregister(guest.sock)
        del self._guests[guest.sock]
        return SecureChannel(
            guest.sock, peer.signer, peer.verifier, limits=self._frames, rejects=self._rejects
        )

    def _refuse(self, guest: _Guest, error: TransportError) -> None:
        self._rejects.add(error)
        self._dismiss(guest)

    def _dismiss(self, guest: _Guest) -> None:
        self._selector.unregister(guest.sock)
        del self._guests[guest.sock]
        guest.sock.close()
