"""Signed messages with any of their parts changed."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable
from typing import Any

from sk_transport import Secret

from sk_control._codec import encode
from sk_control._control_keys import token_keys
from sk_control._kinds import Direction
from sk_control._messages import ControlMessage
from sk_control._seal import sign
from sk_control._signed_message import NONCE_BYTES, SignedMessage


def token_key(
    token: Secret, session_id: str, worker_id: str, direction: Direction = Direction.TO_SUPERVISOR
) -> Secret:
    """Return the key derived from a token that signs the hello, or with `TO_WORKER` the bundle."""
    return token_keys(token, session_id, worker_id)[direction]


def forge(
    message: ControlMessage,
    key: Secret,
    *,
    session_id: str,
    worker_id: str,
    clock: Callable[[], int],
    **changes: Any,
) -> bytes:
    """Return the wire form of a signed message that is valid except for `changes`.

    `changes` are fields of the SignedMessage of `control.proto`. `protocol_version`, `direction`,
    `kind`, `time_ns`, `nonce` and `body` are signed as given; a `signature` replaces the valid one.
    """
    kind, body = encode(message)
    fields: dict[str, Any] = {
        "protocol_version": 1,
        "session_id": session_id,
        "worker_id": worker_id,
        "direction": Direction.TO_SUPERVISOR,
        "kind": kind,
        "time_ns": clock(),
        "nonce": secrets.token_bytes(NONCE_BYTES),
        "body": body,
    }
    signature = changes.pop("signature", None)
    signed = SignedMessage(**{**fields, **changes})
    if signature is None:
        signature = sign(signed, key)
    return dataclasses.replace(signed, signature=signature).to_bytes()
