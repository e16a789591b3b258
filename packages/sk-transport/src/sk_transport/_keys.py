"""The secret of a session, and the derivation of keys from it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

from sk_transport._channel import Channel, canonical
from sk_transport._secret import Secret
from sk_transport.errors import KeyDerivationError, StaticSecretWarning

KEY_BYTES = 32
_KEY_DOMAIN = b"sk-transport/1 key\0"

Kdf = Literal["hkdf_sha256", "none"]
"""How keys are derived; `none` uses the secret itself for all labels."""


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """The secret from which the keys of a session are derived, and its origin.

    The repr does not show the secret. Pickling raises `SecretExposureError`.
    """

    secret: Secret
    origin: Literal["generated", "static"]

    @classmethod
    def generated(cls) -> KeyMaterial:
        """Return fresh random material of 32 bytes; recommended at every start."""
        return cls(Secret.generate(KEY_BYTES), "generated")

    @classmethod
    def static(cls, secret: Secret, warn: bool = True) -> KeyMaterial:
        """Return material with a given secret, for local development: keys are always the same.

        Emits a `StaticSecretWarning` unless `warn` is false.
        """
        if warn:
            warnings.warn(
                "a static transport secret is in use: whoever can read the configuration can forge "
                "frames; use generated secrets outside local development",
                StaticSecretWarning,
                stacklevel=2,
            )
        return cls(secret, "static")

    def derive(self, *labels: str, kdf: Kdf = "hkdf_sha256") -> Secret:
        """Derive the key for `labels`: 32 bytes of HKDF-SHA256 (RFC 5869, no salt).

        The info is `"sk-transport/1 key\\0"` and the labels, each preceded by its length in 4
        bytes, so that ("a", "bc") differs from ("ab", "c"). Different labels give independent keys:
        one reveals nothing about another. `kdf="none"` returns the secret itself for all labels, so
        that every holder can sign as every other; use it for local development only. Raises
        `KeyDerivationError` without labels, for a label that cannot be encoded as UTF-8 and for an
        unknown `kdf`.
        """
        if not labels:
            raise KeyDerivationError("at least one label is needed")
        try:
            info = _KEY_DOMAIN + canonical(*labels)
        except UnicodeEncodeError:
            raise KeyDerivationError("a label is no UTF-8") from None
        if kdf == "none":
            return self.secret
        if kdf != "hkdf_sha256":
            raise KeyDerivationError(f"unknown kdf {kdf!r}, expected 'hkdf_sha256' or 'none'")
        return Secret(_hkdf_sha256(self.secret, info))

    def for_channel(self, channel: Channel, kdf: Kdf = "hkdf_sha256") -> Secret:
        """Derive the key with which a channel's sender signs and its receiver verifies."""
        return self.derive("channel", channel.session, channel.sender, channel.receiver, kdf=kdf)


def _hkdf_sha256(secret: Secret, info: bytes) -> bytes:
    # Imported here: it costs 25 ms, and workers receive derived keys and never need it.
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret.reveal())
