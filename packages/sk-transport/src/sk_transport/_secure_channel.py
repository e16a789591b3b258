"""A blocking channel of signed frames over one connection."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from sk_transport._decoder import FrameDecoder
from sk_transport._detached import DetachedChannel
from sk_transport._limits import FrameLimits
from sk_transport._rejects import RejectCounts
from sk_transport._signing import Signer, Verifier
from sk_transport._socket import Deadline, LockedBy, reason_of, send_parts, wait_readable
from sk_transport._wire import Buffer, FrameKind, WireFrame
from sk_transport.errors import (
    ChannelClosedError,
    DeadlineError,
    FrameError,
    TransportError,
    UnexpectedKindError,
)

VerifierOf: TypeAlias = Callable[[WireFrame], Verifier | None]
"""Returns the verifier of a frame that another process signed and the peer only relays.

It is called with the frame before the frame is verified. It returns None if the peer itself signed
the frame, and raises a `TransportError` to reject the frame.
"""

_HANDSHAKE_KINDS = frozenset({FrameKind.HELLO, FrameKind.WELCOME})


class SecureChannel:
    """One end of an open link; `SecureTcpTransport.connect` and `Listener.accept` return it.

    One thread may send while another receives. Any thread may call `shutdown` and `close`, which
    make both raise `ChannelClosedError`; a signal handler must not, as they take locks. A context
    manager.
    """

    def __init__(
        self,
        sock: socket.socket,
        signer: Signer,
        verifier: Verifier,
        *,
        limits: FrameLimits,
        rejects: RejectCounts,
        verifier_of: VerifierOf | None = None,
    ) -> None:
        self._sock = sock
        self._signer = signer
        self._verifier = verifier
        self._rejects = rejects
        self._verifier_of = verifier_of
        self._decoder = FrameDecoder(limits)
        self._arrived: deque[WireFrame | TransportError] = deque()
        self._wait_first = False  # the last read left nothing in the socket: wait before the next
        self._ended: TransportError | None = None  # why nothing can be received any more
        self._shut: str | None = None  # why this side shut the channel down
        self._ending = threading.Lock()
        self._sending = threading.Lock()
        self._receiving = threading.Lock()
        self._send_waited = 0.0

    @property
    def peer(self) -> str:
        """The proven identity of the other end."""
        return self._signer.channel.receiver

    @property
    def send_waited_seconds(self) -> float:
        """The total time that sends have waited so far for the peer to read."""
        return self._send_waited

    def __enter__(self) -> SecureChannel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(
        self,
        kind: FrameKind,
        header: bytes,
        payload: Buffer = b"",
        timeout: float | None = None,
        *,
        signer: Signer | None = None,
    ) -> None:
        """Sign and send one frame; the payload is not copied, and may be changed when this returns.

        `signer`, for a frame that the peer is to relay, replaces this end's own. Raises
        `OversizeFrameError` or `OversizeHeaderError` (nothing was sent), `ChannelClosedError`, and
        `DeadlineError` after `timeout` seconds (None: never). A `DeadlineError` during the write
        shuts the channel down, as a part of the frame may have been sent.
        """
        deadline = Deadline("send", timeout)
        with LockedBy(self._sending, deadline):
            self._check_open()
            parts = (signer or self._signer).seal(kind, header, payload)
            try:
                self._send_waited += send_parts(self._sock, parts, deadline)
            except DeadlineError:
                self._shutdown("a send ran out of time")
                raise
            except OSError as error:
                raise self._closed(error) from None

    def receive(self, timeout: float | None = None) -> WireFrame:
        """Return the next frame, verified.

        Raises `DeadlineError` after `timeout` seconds (None: never; nothing is lost, call again), a
        `FrameRefusedError` or `UnexpectedKindError` in place of a frame that was rejected (call
        again for the next), a `FrameError` when the stream is lost, and `ChannelClosedError`. After
        one of the last two, every further call raises it again.
        """
        deadline = Deadline("receive", timeout)
        with LockedBy(self._receiving, deadline):
            self._check_open()
            while not self._arrived:
                self._fill(deadline)
            arrived = self._arrived.popleft()
        if isinstance(arrived, TransportError):
            raise arrived
        return arrived

    def shutdown(self) -> None:
        """End the channel from any thread, and wake threads that send or receive; does not wait.

        The socket stays open until `close`. Idempotent.
        """
        self._shutdown("it was shut down")

    def close(self) -> None:
        """Shut down and release the socket. Idempotent."""
        self.shutdown()
        # Wait until no thread sends or receives: if a file descriptor is closed while a thread
        # polls it, another file may get the same number.
        with self._sending, self._receiving, self._ending:
            self._sock.close()

    def detach(self) -> DetachedChannel:
        """Hand socket, decoder and keys over to a caller with an event loop of its own.

        The channel then counts as closed, and `close` does not close the socket. A `verifier_of` is
        not passed on. Raises `ChannelClosedError`, and `ValueError` while there are received frames
        that `receive` has not returned yet.
        """
        with self._sending, self._receiving, self._ending:
            self._check_open()
            if self._arrived:
                raise ValueError(f"{len(self._arrived)} frames were received and not taken")
            self._shut = "it was detached"
            sock = socket.socket(fileno=self._sock.detach())
        sock.setblocking(False)
        return DetachedChannel(self.peer, sock, self._decoder, self._signer, self._verifier)

    def _shutdown(self, reason: str) -> None:
        with self._ending:
            if self._shut is None:
                self._shut = reason
            with contextlib.suppress(OSError):  # the peer may have closed the connection first
                self._sock.shutdown(socket.SHUT_RDWR)

    def _check_open(self) -> None:
        if self._shut is not None:
            raise ChannelClosedError("this side", self._shut)

    def _closed(self, error: OSError) -> ChannelClosedError:
        if self._shut is not None:
            return ChannelClosedError("this side", self._shut)
        return ChannelClosedError("the peer", reason_of(error))

    def _fill(self, deadline: Deadline) -> None:
        """Read once, and verify the frames on arrival, since a frame ages while it waits."""
        if self._ended is not None:
            raise self._ended.with_traceback(None)
        try:
            frames = self._read(deadline)
        except DeadlineError:
            raise
        except TransportError as end:
            self._ended = end
            if isinstance(end, FrameError):
                self._rejects.add(end)
            raise
        self._arrived.extend(map(self._judge, frames))

    def _read(self, deadline: Deadline) -> list[WireFrame]:
        target = self._decoder.buffer()
        while True:
            if self._wait_first:
                wait_readable(self._sock, deadline)
            try:
                count = self._sock.recv_into(target)
                break
            except BlockingIOError:
                self._wait_first = True
            except OSError as error:
                raise self._closed(error) from None
        self._wait_first = count < len(target)
        if count:
            frames = self._decoder.advance(count)
            # A frame was received in place up to its last byte: most likely the next is not here.
            self._wait_first = self._wait_first or self._decoder.at_boundary()
            return frames
        self._check_open()
        self._decoder.finish()
        raise ChannelClosedError("the peer", "end of the stream")

    def _judge(self, frame: WireFrame) -> WireFrame | TransportError:
        try:
            if frame.kind in _HANDSHAKE_KINDS:
                raise UnexpectedKindError("data", frame.kind.name)
            verifier = self._verifier_of(frame) if self._verifier_of else None
            (verifier or self._verifier).verify(frame)
        except TransportError as refused:
            self._rejects.add(refused)
            return refused.with_traceback(None)
        return frame
