"""The signed message: its fields, the bytes that are signed, and its wire form. No I/O."""

from __future__ import annotations

import struct
from typing import Final

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from sk_control import _fields as check
from sk_control._codes import RefusalCode
from sk_control._pb import control_pb2 as pb
from sk_control._value import value
from sk_control.errors import InvalidFieldError, MessageRefusedError

NONCE_BYTES: Final = 16
_DOMAIN: Final = b"sk.control.v1.SignedMessage"
_NUMBERS: Final = struct.Struct(">IIIQ")
_LENGTH: Final = struct.Struct(">Q")


@value(frozen=True, slots=True)
class SignedMessage:
    """The SignedMessage of `control.proto`, which carries every message.

    `direction` and `kind` are numbers as received, for which there may be no `Direction` or
    `MessageKind`.
    """

    protocol_version: int
    session_id: str
    worker_id: str
    direction: int
    kind: int
    time_ns: int
    nonce: bytes
    body: bytes
    signature: bytes = b""

    def canonical(self) -> bytes:
        """Return the bytes to sign, as the README specifies them: each part after its length."""
        numbers = _NUMBERS.pack(self.protocol_version, self.direction, self.kind, self.time_ns)
        texts = (self.session_id.encode(), self.worker_id.encode())
        parts = (_DOMAIN, numbers, *texts, self.nonce, self.body)
        return b"".join(piece for part in parts for piece in (_LENGTH.pack(len(part)), part))

    def to_bytes(self) -> bytes:
        """Serialise the message to its wire form."""
        wire = pb.SignedMessage(
            protocol_version=self.protocol_version,
            session_id=self.session_id,
            worker_id=self.worker_id,
            time_ns=self.time_ns,
            nonce=self.nonce,
            body=self.body,
            signature=self.signature,
        )
        wire.direction = self.direction  # type: ignore[assignment] # open enum
        wire.kind = self.kind  # type: ignore[assignment]
        return wire.SerializeToString(deterministic=True)


def parse_signed(raw: bytes) -> SignedMessage:
    """Parse a SignedMessage from its wire form.

    Raises `MessageRefusedError` (`undecodable`, `unsigned_fields`, `bad_field`). No field of the
    result may be trusted before its signature was checked.
    """
    wire = pb.SignedMessage()
    try:
        wire.ParseFromString(raw)
    except (DecodeError, RecursionError):
        raise MessageRefusedError(RefusalCode.UNDECODABLE, detail="not a SignedMessage") from None
    if len(UnknownFieldSet(wire)):
        raise MessageRefusedError(
            RefusalCode.UNSIGNED_FIELDS, detail="fields outside the signature"
        )
    try:
        check.name("signed_message", "session_id", wire.session_id)
        check.name("signed_message", "worker_id", wire.worker_id)
        check.integer("signed_message", "direction", wire.direction, 0, check.UINT32_MAX)
        check.integer("signed_message", "kind", wire.kind, 0, check.UINT32_MAX)
        if len(wire.nonce) != NONCE_BYTES:
            raise InvalidFieldError("signed_message", "nonce", f"{NONCE_BYTES} bytes")
    except InvalidFieldError as fault:
        raise MessageRefusedError(RefusalCode.BAD_FIELD, detail=str(fault)) from None
    return SignedMessage(
        protocol_version=wire.protocol_version,
        session_id=wire.session_id,
        worker_id=wire.worker_id,
        direction=int(wire.direction),
        kind=int(wire.kind),
        time_ns=wire.time_ns,
        nonce=wire.nonce,
        body=wire.body,
        signature=wire.signature,
    )
