"""Measured signers and verifiers. The channel's calls that contain theirs are measured, too."""

from __future__ import annotations

from sk_kernel.runtime import Stopwatch
from sk_transport import (
    Buffer,
    Channel,
    FrameKind,
    FrameLimits,
    Secret,
    SequenceGuard,
    Signer,
    Verifier,
    WireFrame,
)


class TimedSigner(Signer):
    """See the base; the ``stopwatch`` is that of the thread that sends."""

    def __init__(
        self, stopwatch: Stopwatch, channel: Channel, key: Secret, *, limits: FrameLimits
    ) -> None:
        super().__init__(channel, key, limits=limits)
        self._timed = stopwatch.timed("frame sign", super().seal)

    def seal(self, kind: FrameKind, header: bytes, payload: Buffer = b"") -> tuple[bytes, Buffer]:
        """See the base."""
        return self._timed(kind, header, payload)


class TimedVerifier(Verifier):
    """See the base; the ``stopwatch`` is that of the thread that receives."""

    def __init__(
        self, stopwatch: Stopwatch, channel: Channel, key: Secret, *, guard: SequenceGuard
    ) -> None:
        super().__init__(channel, key, guard=guard)
        self._timed = stopwatch.timed("frame verify", super().verify)

    def verify(self, frame: WireFrame) -> None:
        """See the base."""
        self._timed(frame)
