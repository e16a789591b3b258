"""Key bytes that are kept out of logs, messages and pickles."""

from __future__ import annotations

import hmac
import secrets
from typing import NoReturn, SupportsIndex

from sk_transport.errors import SecretExposureError, UnusableSecretError

MINIMUM_GENERATED_BYTES = 16


class Secret:
    """Key bytes that appear in no repr, str, format, pickle or JSON; only `reveal` returns them.

    Equality takes constant time. Not hashable: a hash would reveal something about the bytes.
    Immutable: a copy is the same object. Raises `UnusableSecretError` for a value that is empty or
    not `bytes`.
    """

    __slots__ = ("__value",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: bytes) -> None:
        if not isinstance(value, bytes):
            raise UnusableSecretError(f"bytes are needed, not {type(value).__name__}")
        if not value:
            raise UnusableSecretError("it is empty")
        self.__value = value

    @classmethod
    def generate(cls, size: int = 32) -> Secret:
        """Return a new secret of `size` random bytes (at least 16, else `UnusableSecretError`)."""
        if size < MINIMUM_GENERATED_BYTES:
            raise UnusableSecretError(
                f"{size} bytes asked, at least {MINIMUM_GENERATED_BYTES} needed"
            )
        return cls(secrets.token_bytes(size))

    def reveal(self) -> bytes:
        """Return the bytes. Reviewers should check every call of this method."""
        return self.__value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value, other.__value)

    def __repr__(self) -> str:
        return "Secret(<redacted>)"

    def __str__(self) -> str:
        return "<redacted>"

    def __format__(self, spec: str) -> str:
        return format("<redacted>", spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise SecretExposureError("pickle")

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise SecretExposureError("pickle")

    def __getstate__(self) -> NoReturn:
        raise SecretExposureError("state")
