"""Sealing messages into signed bytes and opening them again, for one worker and direction."""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Callable
from typing import Final

from sk_transport import (
    ExpiredFrameError,
    ReplayedNonceError,
    ReplayGuard,
    ReplayGuardFullError,
    Secret,
    SequenceGuard,
    counting_nonces,
)

from sk_control import _fields as check
from sk_control._codec import decode, encode, kind_of
from sk_control._codes import RefusalCode
from sk_control._control_keys import DirectionKeys
from sk_control._kinds import Direction
from sk_control._messages import ControlMessage
from sk_control._settings import ControlSettings
from sk_control._signed_message import SignedMessage
from sk_control._value import value
from sk_control.errors import MessageRefusedError, VersionMismatchError

SUPPORTED_VERSIONS: Final = (1,)
"""The protocol versions that this package supports, the preferred one first."""

Clock = Callable[[], int]
"""Returns nanoseconds of a clock that both ends share and that never goes back."""


def sign(signed: SignedMessage, key: Secret) -> bytes:
    """Return the signature: HMAC-SHA256 of the canonical bytes."""
    return hmac.digest(key.reveal(), signed.canonical(), "sha256")


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
    """Return the sealer and the opener of one end of a worker's session.

    `sends` is the direction in which this end sends. It signs with the first of `versions` and
    accepts all of them. The opener is for the peer's first message. Raises `InvalidFieldError` for
    a session id that is not a valid name.
    """
    check.name("signed_message", "session_id", session_id)
    receives = next(direction for direction in Direction if direction is not sends)
    guard = ReplayGuard(ttl_seconds=settings.ttl_seconds, capacity=settings.nonce_capacity)
    nonces = counting_nonces()
    sealer = Sealer(versions[0], session_id, worker_id, sends, keys[sends], clock, nonces)
    return sealer, Opener(versions, session_id, worker_id, receives, keys[receives], guard, clock)


@value(frozen=True, slots=True)
class Sealer:
    """Signs the messages of one worker and direction, which must be sent in order of signing."""

    version: int
    session_id: str
    worker_id: str
    direction: Direction
    key: Secret
    clock: Clock
    nonces: Callable[[], bytes]

    def seal(self, message: ControlMessage) -> bytes:
        """Return the wire form of a message, with the time, the next nonce and the signature."""
        kind, body = encode(message)
        signed = SignedMessage(
            protocol_version=self.version,
            session_id=self.session_id,
            worker_id=self.worker_id,
            direction=self.direction,
            kind=kind,
            time_ns=self.clock(),
            nonce=self.nonces(),
            body=body,
        )
        return dataclasses.replace(signed, signature=sign(signed, self.key)).to_bytes()


@value(frozen=True, slots=True)
class Opener:
    """Verifies the messages of one worker and direction, and accepts each of them once.

    The guard of the first message checks time and nonce; that of all later messages checks order.
    """

    versions: tuple[int, ...]
    session_id: str
    worker_id: str
    direction: Direction
    key: Secret
    guard: ReplayGuard | SequenceGuard
    clock: Clock

    def following(self, first: SignedMessage) -> Opener:
        """Return the opener of the messages that follow the sender's first one.

        A stream preserves the order of its messages, so a nonce that does not increase is a replay.
        Age is not checked: an old message only means that an end was busy or suspended.
        """
        return dataclasses.replace(self, guard=SequenceGuard(first.nonce))

    def verify(self, signed: SignedMessage) -> ControlMessage:
        """Verify a message and decode its body.

        Checked are version, session, worker, direction, signature, time and nonce, in this order.
        Raises `MessageRefusedError`.
        """
        self._check_addressee(signed)
        if not hmac.compare_digest(signed.signature, sign(signed, self.key)):
            raise MessageRefusedError(RefusalCode.BAD_SIGNATURE, signed.worker_id)
        self._admit(signed)
        message = decode(signed.kind, signed.body)
        if kind_of(message).direction is not self.direction:
            raise MessageRefusedError(RefusalCode.WRONG_DIRECTION, signed.worker_id)
        return message

    def _admit(self, signed: SignedMessage) -> None:
        try:
            self.guard.admit(signed.nonce, signed.time_ns, self.clock())
        except ExpiredFrameError as fault:
            age = f"{fault.age_seconds:.3f} s old, {fault.ttl_seconds:g} s are accepted either way"
            raise MessageRefusedError(RefusalCode.OUTSIDE_TTL, signed.worker_id, age) from None
        except ReplayedNonceError:
            raise MessageRefusedError(RefusalCode.REPLAYED_NONCE, signed.worker_id) from None
        except ReplayGuardFullError as fault:
            full = f"{fault.capacity} first messages within {fault.ttl_seconds:g} s"
            raise MessageRefusedError(
                RefusalCode.NONCE_CACHE_FULL, signed.worker_id, full
            ) from None

    def _check_addressee(self, signed: SignedMessage) -> None:
        if signed.protocol_version not in self.versions:
            theirs = (signed.protocol_version,)
            raise VersionMismatchError.between(self.versions, theirs, signed.worker_id)
        if signed.session_id != self.session_id:
            raise MessageRefusedError(RefusalCode.WRONG_SESSION, signed.worker_id)
        if signed.worker_id != self.worker_id:
            raise MessageRefusedError(RefusalCode.WRONG_WORKER, signed.worker_id)
        if signed.direction != self.direction:
            raise MessageRefusedError(RefusalCode.WRONG_DIRECTION, signed.worker_id)
