"""The keys of the control plane itself, per worker and direction, and their names in bundles."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final, TypeAlias

from sk_transport import KeyMaterial, Secret

from sk_control._bundle_keys import BootstrapKeyBundle
from sk_control._codes import RefusalCode
from sk_control._kinds import Direction
from sk_control.errors import InvalidFieldError, MessageRefusedError

_RESERVED: Final = "control."
_NAMES: Final = {direction: f"{_RESERVED}{direction.name.lower()}" for direction in Direction}

DirectionKeys: TypeAlias = Mapping[Direction, Secret]
"""The key that signs the messages of each direction."""


def token_keys(token: Secret, session_id: str, worker_id: str) -> DirectionKeys:
    """Derive the keys that sign hello and bundle from the worker's one-time token.

    A signature with them proves that its sender holds the token, which is never sent.
    """
    return {
        direction: Secret(_expand(token, session_id, worker_id, direction))
        for direction in Direction
    }


def control_keys(material: KeyMaterial, session_id: str, worker_id: str) -> DirectionKeys:
    """Derive the keys that sign all messages after the bundle, from the server's key material."""
    labels = ("sk.control.v1", session_id, worker_id)
    return {direction: material.derive(*labels, direction.name.lower()) for direction in Direction}


def _expand(token: Secret, session_id: str, worker_id: str, direction: Direction) -> bytes:
    # One block of HKDF-Expand (RFC 5869, 2.3). A token is random, so no extract step is needed
    # (3.3). Computing this here saves every worker the import of `cryptography`, which
    # `KeyMaterial.derive` needs.
    parts = (b"sk.control.v1 token", session_id.encode(), worker_id.encode(), bytes([direction]))
    info = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(token.reveal(), info + b"\x01", "sha256")


def with_control_keys(keys: BootstrapKeyBundle, control: DirectionKeys) -> BootstrapKeyBundle:
    """Add the control keys to those of a bundle; raises `InvalidFieldError` for reserved names."""
    for name in keys:
        if name.startswith(_RESERVED):
            raise InvalidFieldError(
                "bootstrap_bundle", "keys", f"no name that begins with {_RESERVED}"
            )
    named = {_NAMES[direction]: key for direction, key in control.items()}
    return BootstrapKeyBundle({**keys, **named})


def control_keys_of(keys: BootstrapKeyBundle) -> DirectionKeys:
    """Return the control keys of a bundle; raises `MessageRefusedError` if they are missing."""
    if not keys.keys() >= set(_NAMES.values()):
        raise MessageRefusedError(RefusalCode.BAD_FIELD, detail="bundle without control keys")
    return {direction: keys[name] for direction, name in _NAMES.items()}


def without_control_keys(keys: BootstrapKeyBundle) -> BootstrapKeyBundle:
    """Return the keys of a bundle without the control keys."""
    return BootstrapKeyBundle(
        {name: key for name, key in keys.items() if not name.startswith(_RESERVED)}
    )
