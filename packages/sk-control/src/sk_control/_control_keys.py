"""Which key signs what: keys per worker and direction, and their reserved names in the bundle."""

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


def token_keys(token: Secret, session_id: str, worker_id: str) -> DirectionKeys:
    """The keys of hello and bundle: whoever can derive them holds the worker's one-time token."""
    return {way: Secret(_expand(token, session_id, worker_id, way)) for way in Direction}


def control_keys(material: KeyMaterial, session_id: str, worker_id: str) -> DirectionKeys:
    """The keys of everything behind the bundle."""
    labels = ("sk.control.v1", session_id, worker_id)
    return {way: material.derive(*labels, way.name.lower()) for way in Direction}


def _expand(token: Secret, session_id: str, worker_id: str, way: Direction) -> bytes:
    # One block of HKDF-Expand (RFC 5869, 2.3). A token is 32 random bytes and so needs no extract
    # step (3.3); it spares every worker the import of the library that `KeyMaterial.derive` does
    # its extract step with.
    parts = (b"sk.control.v1 token", session_id.encode(), worker_id.encode(), bytes([way]))
    info = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(token.reveal(), info + b"\x01", "sha256")


def with_control_keys(keys: BootstrapKeyBundle, control: DirectionKeys) -> BootstrapKeyBundle:
    """Add the control keys to a bundle's; raises `InvalidFieldError` for a reserved name in it."""
    for name in keys:
        if name.startswith(_RESERVED):
            raise InvalidFieldError(
                "bootstrap_bundle", "keys", f"no name that begins with {_RESERVED}"
            )
    return BootstrapKeyBundle({**keys, **{_NAMES[way]: key for way, key in control.items()}})


def control_keys_of(keys: BootstrapKeyBundle) -> DirectionKeys:
    """The control keys of a bundle; raises `MessageRefusedError` where they are missing."""
    if not keys.keys() >= set(_NAMES.values()):
        raise MessageRefusedError(RefusalCode.BAD_FIELD, detail="bundle without control keys")
    return {way: keys[name] for way, name in _NAMES.items()}


def without_control_keys(keys: BootstrapKeyBundle) -> BootstrapKeyBundle:
    """The part of a bundle's keys that is the application's."""
    return BootstrapKeyBundle(
        {name: key for name, key in keys.items() if not name.startswith(_RESERVED)}
    )
