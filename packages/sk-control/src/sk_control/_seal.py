"""Sealing and opening: messages to signed bytes and back, for one worker and direction."""

from __future__ import annotations

import dataclasses
import hmac
import secrets
from collections.abc import Callable
from typing import Final

from sk_transport import (
    ExpiredFrameError,
    ReplayedNonceError,
    ReplayGuardFullError,
    Secret,
)

from sk_control import _fields as check
from sk_control._codec import decode, encode, kind_of
from sk_control._codes import RefusalCode
from sk_control._control_keys import DirectionKeys
from sk_control._envelope import NONCE_BYTES, Envelope, parse_envelope
from sk_control._freshness import SessionGuard
from sk_control._kinds import Direction
from sk_control._messages import ControlMessage
from sk_control._settings import ControlSettings
from sk_control._value import value
from sk_control.errors import MessageRefusedError, VersionMismatchError

SUPPORTED_VERSIONS: Final = (1,)
"""The protocol versions that this package speaks, best first."""

Clock = Callable[[], int]
"""The time in nanoseconds, on a clock that both ends share and that never goes back."""


def sign(envelope: Envelope, key: Secret) -> bytes:
    """HMAC-SHA256 over the canonical bytes."""
    return hmac.digest(key.reveal(), envelope.canonical(), "sha256")


def seal_and_open(
    sends: Direction,
    keys: DirectionKeys,
    *,
    versions: tuple[int, ...],
    session_id: str,
    worker_id: str,
    settings: ControlSettings,
    clock: Clock,
) -> tuple[Sealer, Opener]:
    """Make what one end of a worker's session needs to seal what it sends and open what it gets.

    Raises `InvalidFieldError` for a session id that is no name.
    """
    check.name("signed_message", "session_id", session_id)
    receives = next(way for way in Direction if way is not sends)
    guard = SessionGuard(ttl_seconds=settings.ttl_seconds, capacity=settings.nonce_capacity)
    sealer = Sealer(versions[0], session_id, worker_id, sends, keys[sends], clock)
    return sealer, Opener(versions, session_id, worker_id, receives, keys[receives], guard, clock)


@value(frozen=True, slots=True)
class Sealer:
    """Makes the signed messages of one worker and direction."""

    version: int
    session_id: str
    worker_id: str
    direction: Direction
    key: Secret
    clock: Clock

    def seal(self, message: ControlMessage) -> bytes:
        """Serialise and sign, with the time and a fresh nonce."""
        kind, body = encode(message)
        envelope = Envelope(
            protocol_version=self.version,
            session_id=self.session_id,
            worker_id=self.worker_id,
            direction=self.direction,
            kind=kind,
            time_ns=self.clock(),
            nonce=secrets.token_bytes(NONCE_BYTES),
            body=body,
        )
        return dataclasses.replace(envelope, signature=sign(envelope, self.key)).to_bytes()


@value(frozen=True, slots=True)
class Opener:
    """Accepts the signed messages of one worker and direction, each of them once."""

    versions: tuple[int, ...]
    session_id: str
    worker_id: str
    direction: Direction
    key: Secret
    guard: SessionGuard
    clock: Clock

    def open(self, raw: bytes) -> ControlMessage:
        """Parse and verify; raises `MessageRefusedError`."""
        return self.verify(parse_envelope(raw))

    def verify(self, envelope: Envelope) -> ControlMessage:
        """Check address, signature, freshness and nonce, in this order, then decode the body."""
        self._check_address(envelope)
        if not hmac.compare_digest(envelope.signature, sign(envelope, self.key)):
            raise MessageRefusedError(RefusalCode.BAD_SIGNATURE, envelope.worker_id)
        self._admit(envelope)
        message = decode(envelope.kind, envelope.body)
        if kind_of(message).direction is not self.direction:
            raise MessageRefusedError(RefusalCode.WRONG_DIRECTION, envelope.worker_id)
        return message

    def _admit(self, envelope: Envelope) -> None:
        try:
            self.guard.admit(envelope.nonce, envelope.time_ns, self.clock())
        except ExpiredFrameError as fault:
            age = f"{fault.age_seconds:.3f} s old, {fault.ttl_seconds:g} s are accepted either way"
            raise MessageRefusedError(RefusalCode.OUTSIDE_TTL, envelope.worker_id, age) from None
        except ReplayedNonceError:
            raise MessageRefusedError(RefusalCode.REPLAYED_NONCE, envelope.worker_id) from None
        except ReplayGuardFullError as fault:
            full = f"{fault.capacity} messages within {fault.ttl_seconds:g} s"
            raise MessageRefusedError(
                RefusalCode.NONCE_CACHE_FULL, envelope.worker_id, full
            ) from None

    def _check_address(self, envelope: Envelope) -> None:
        if envelope.protocol_version not in self.versions:
            theirs = (envelope.protocol_version,)
            raise VersionMismatchError.between(self.versions, theirs, envelope.worker_id)
        if envelope.session_id != self.session_id:
            raise MessageRefusedError(RefusalCode.WRONG_SESSION, envelope.worker_id)
        if envelope.worker_id != self.worker_id:
            raise MessageRefusedError(RefusalCode.WRONG_WORKER, envelope.worker_id)
        if envelope.direction != self.direction:
            raise MessageRefusedError(RefusalCode.WRONG_DIRECTION, envelope.worker_id)
