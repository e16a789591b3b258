"""The keys in a bootstrap bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NoReturn

from sk_transport import Secret

from sk_control import _fields as check
from sk_control.errors import InvalidFieldError


class BootstrapKeyBundle(Mapping[str, Secret]):
    """The keys in a bootstrap bundle: an immutable mapping of name to `Secret`.

    Raises `InvalidFieldError` for a name that does not have 1 to 256 characters, and for a value
    that is not a `Secret`. The repr shows only the names. Pickling raises `TypeError`.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: Mapping[str, Secret] | None = None) -> None:
        keys = dict(keys or {})
        for name, secret in keys.items():
            check.name("bootstrap_bundle", "keys", name)
            if not isinstance(secret, Secret):
                raise InvalidFieldError("bootstrap_bundle", "keys", "a mapping of name to Secret")
        self._keys = MappingProxyType(keys)

    def __getitem__(self, name: str) -> Secret:
        return self._keys[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"BootstrapKeyBundle({', '.join(sorted(self._keys))})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a BootstrapKeyBundle is never pickled; it travels in a signed bootstrap bundle"
        )
