"""Signing frames and verifying them.

The signature is HMAC-SHA256 under the channel's key over

    "sk-transport/1 frame\\0" | channel binding | the first 32 bytes of the frame | header | payload

where the first 32 bytes are length, version, kind, header length, time and nonce. The names in the
binding are length-prefixed and the other parts have fixed places, so no two different frames have
the same signed bytes. The part that is the same for every frame of a channel is hashed only once.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable

from sk_transport._channel import Channel
from sk_transport._limits import LARGEST_HEADER, PREFIX_BYTES, FrameLimits, require_seconds
from sk_transport._nonces import counting_nonces
from sk_transport._replay import ReplayGuard
from sk_transport._secret import Secret
from sk_transport._sequence import SequenceGuard
from sk_transport._wire import (
    LENGTH_BYTES,
    NONCE_BYTES,
    PROTOCOL_VERSION,
    SIGNED_PREFIX,
    SIGNED_PREFIX_BYTES,
    Buffer,
    FrameKind,
    WireFrame,
)
from sk_transport.errors import (
    ExpiredFrameError,
    InvalidSettingError,
    InvalidSignatureError,
    OversizeFrameError,
    OversizeHeaderError,
)

_FRAME_DOMAIN = b"sk-transport/1 frame\0"

# Both ends run on one machine by design (loopback only), where all processes share CLOCK_MONOTONIC.
# Setting the wall clock or suspending the machine neither expires frames nor admits old ones.
monotonic_clock = time.monotonic_ns


class Signer:
    """Makes the signed frames of one channel.

    `limits` are those of the receiver. Thread-safe; but if the receiver checks the order of frames
    (`SequenceGuard`), they must be sent in the order in which they were sealed.
    """

    def __init__(
        self,
        channel: Channel,
        key: Secret,
        *,
        clock: Callable[[], int] = monotonic_clock,
        nonces: Callable[[], bytes] | None = None,
        limits: FrameLimits | None = None,
    ) -> None:
        self.channel = channel
        self._clock = clock
        self._nonces = nonces or counting_nonces()
        limits = limits or FrameLimits()
        self._max_frame = limits.max_frame_bytes
        self._max_header = min(limits.max_header_bytes, LARGEST_HEADER)
        self._keyed = _keyed(channel, key)

    def seal(self, kind: FrameKind, header: bytes, payload: Buffer = b"") -> tuple[bytes, Buffer]:
        """Sign one frame; return the buffers to send, in order: prefix with header, and payload.

        The payload is not copied, and must not change until it is sent. Raises
        `OversizeFrameError` or `OversizeHeaderError` for a frame that the receiver would reject.
        """
        if type(payload) is not bytes:
            payload = memoryview(payload).cast("B")
        size = PREFIX_BYTES + len(header) + len(payload)
        if len(header) > self._max_header:
            raise OversizeHeaderError(len(header), self._max_header)
        if size > self._max_frame:
            raise OversizeFrameError(size, self._max_frame)
        nonce = self._nonces()
        if len(nonce) != NONCE_BYTES:
            raise InvalidSettingError(
                "nonce length", len(nonce), f"{NONCE_BYTES} bytes from the nonce source"
            )
        signed = SIGNED_PREFIX.pack(
            size - LENGTH_BYTES, PROTOCOL_VERSION, kind, len(header), self._clock(), nonce
        )
        mac = self._keyed.copy()
        mac.update(signed)
        mac.update(header)
        mac.update(payload)
        return signed + mac.digest() + header, payload


class Verifier:
    """Verifies the frames of one channel: signature, time, and no replay. Thread-safe.

    `ttl_seconds` is how far a frame's time may lie before or after now. The guard must remember
    nonces at least as long, else `InvalidSettingError`; several verifiers may share it. With None
    only the guard checks: a `ReplayGuard` by its own TTL, a `SequenceGuard` by order at any age.
    None is for an open link, where an old frame only means that an end was busy or suspended.
    """

    def __init__(
        self,
        channel: Channel,
        key: Secret,
        *,
        ttl_seconds: float | None = None,
        guard: ReplayGuard | SequenceGuard,
        clock: Callable[[], int] = monotonic_clock,
    ) -> None:
        self.channel = channel
        self._ttl_ns: int | None = None
        if ttl_seconds is not None:
            self._ttl_ns = require_seconds("ttl_seconds", ttl_seconds)
            if guard.ttl_seconds < ttl_seconds:
                raise InvalidSettingError(
                    "ttl_seconds of the replay guard",
                    guard.ttl_seconds,
                    f"at least the verifier's {ttl_seconds}",
                )
        self._guard = guard
        self._clock = clock
        self._keyed = _keyed(channel, key)

    def verify(self, frame: WireFrame) -> None:
        """Return if the frame is valid; raise a `FrameRefusedError` if not.

        The signature is checked first, in constant time, so that an unauthenticated peer learns
        and changes nothing; then time, then nonce. Verify a frame when it arrives, not when it is
        used: it ages while it waits.
        """
        raw = memoryview(frame.raw)
        mac = self._keyed.copy()
        mac.update(raw[:SIGNED_PREFIX_BYTES])
        mac.update(raw[PREFIX_BYTES:])
        if not hmac.compare_digest(mac.digest(), raw[SIGNED_PREFIX_BYTES:PREFIX_BYTES]):
            channel = self.channel
            raise InvalidSignatureError(channel.session, channel.sender, channel.receiver)
        now_ns = self._clock()
        if self._ttl_ns is not None:
            age_ns = now_ns - frame.time_ns
            if not -self._ttl_ns <= age_ns <= self._ttl_ns:
                raise ExpiredFrameError(age_ns / 1e9, self._ttl_ns / 1e9)
        self._guard.admit(frame.nonce, frame.time_ns, now_ns, self.channel.sender)


def _keyed(channel: Channel, key: Secret) -> hmac.HMAC:
    return hmac.new(key.reveal(), _FRAME_DOMAIN + channel.binding(), "sha256")
