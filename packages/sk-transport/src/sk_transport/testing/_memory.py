"""A channel without a socket: the same frames, signatures and errors, in one process."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final, Self

from sk_transport._channel import Channel
from sk_transport._decoder import FrameDecoder
from sk_transport._limits import FrameLimits
from sk_transport._secret import Secret
from sk_transport._sequence import SequenceGuard
from sk_transport._signing import Signer, Verifier
from sk_transport._socket import Deadline, LockedBy
from sk_transport._wire import Buffer, FrameKind, WireFrame
from sk_transport.errors import (
    ChannelClosedError,
    DeadlineError,
    TransportError,
    UnexpectedKindError,
)
from sk_transport.testing._pair import ChannelPair
from sk_transport.testing._pipe import BytePipe, PipeClosedError

_INJECT_SECONDS: Final = 60.0


class MemoryChannel:
    """One end of a link in memory, made by `memory_channel_pair`.

    It keeps the contract of `SecureChannel`, and is for tests of code that uses a channel.
    """

    def __init__(
        self,
        incoming: BytePipe,
        outgoing: BytePipe,
        signer: Signer,
        verifier: Verifier,
        limits: FrameLimits,
    ) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._signer, self._verifier = signer, verifier
        self._decoder = FrameDecoder(limits)
        self._arrived: deque[WireFrame] = deque()
        self._ended: TransportError | None = None
        self._shut: str | None = None
        self._sending, self._receiving = threading.Lock(), threading.Lock()

    @property
    def peer(self) -> str:
        """The name of the other end."""
        return self._signer.channel.receiver

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(
        self, kind: FrameKind, header: bytes, payload: Buffer = b"", timeout: float | None = None
    ) -> None:
        """Sign and send one frame; raises like `SecureChannel.send`."""
        deadline = Deadline("send", timeout)
        with LockedBy(self._sending, deadline):
            self._check_open()
            parts = self._signer.seal(kind, header, payload)
            try:
                for part in parts:
                    self._outgoing.write(part, deadline)
            except DeadlineError:
                self._shutdown("a send ran out of time")
                raise
            except PipeClosedError:
                self._check_open()
                raise ChannelClosedError("the peer", "end of the stream") from None

    def receive(self, timeout: float | None = None) -> WireFrame:
        """Return the next frame, verified; raises like `SecureChannel.receive`."""
        deadline = Deadline("receive", timeout)
        with LockedBy(self._receiving, deadline):
            self._check_open()
            while not self._arrived:
                self._fill(deadline)
            frame = self._arrived.popleft()
        if frame.kind in (FrameKind.HELLO, FrameKind.WELCOME):
            raise UnexpectedKindError("data", frame.kind.name)
        self._verifier.verify(frame)
        return frame

    def shutdown(self) -> None:
        """End the channel from any thread; wake threads that send or receive. Idempotent."""
        self._shutdown("it was shut down")

    def close(self) -> None:
        """Shut down; there is nothing else to release. Idempotent."""
        self.shutdown()

    def _shutdown(self, reason: str) -> None:
        self._shut = self._shut or reason
        self._outgoing.close()
        self._incoming.close()

    def _check_open(self) -> None:
        if self._shut is not None:
            raise ChannelClosedError("this side", self._shut)

    def _fill(self, deadline: Deadline) -> None:
        if self._ended is not None:
            raise self._ended.with_traceback(None)
        try:
            count = self._incoming.read_into(self._decoder.buffer(), deadline)
            if count:
                self._arrived.extend(self._decoder.advance(count))
                return
            self._check_open()
            self._decoder.finish()
            raise ChannelClosedError("the peer", "end of the stream")
        except DeadlineError:
            raise
        except TransportError as end:
            self._ended = end
            raise


def memory_channel_pair(
    limits: FrameLimits | None = None,
    *,
    session: str = "session",
    left: str = "left",
    right: str = "right",
    capacity_bytes: int = 1 << 18,
) -> ChannelPair:
    """Return the two ends of a new link in memory, with a fresh key.

    `capacity_bytes` is how many bytes each direction holds before a sender has to wait. The pair
    has an `inject`.
    """
    limits = limits or FrameLimits()
    key, to_the_right = Secret.generate(), Channel(session, left, right)
    to_right, to_left = BytePipe(capacity_bytes), BytePipe(capacity_bytes)

    def end(incoming: BytePipe, outgoing: BytePipe, sends: Channel) -> MemoryChannel:
        signer = Signer(sends, key, limits=limits)
        guard = SequenceGuard()
        verifier = Verifier(sends.reverse(), key, guard=guard)
        return MemoryChannel(incoming, outgoing, signer, verifier, limits)

    return ChannelPair(
        end(to_left, to_right, to_the_right),
        end(to_right, to_left, to_the_right.reverse()),
        inject=lambda raw: to_right.write(raw, Deadline("inject", _INJECT_SECONDS)),
    )
