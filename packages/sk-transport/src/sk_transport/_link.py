"""The keys of the two directions between a client and a server, and their lookup by a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sk_transport._channel import Channel
from sk_transport._keys import Kdf, KeyMaterial
from sk_transport._secret import Secret


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """The keys of a link between a client and a server: one for each direction."""

    to_server: Secret
    to_client: Secret

    @classmethod
    def derive(
        cls, material: KeyMaterial, session: str, client: str, server: str, kdf: Kdf = "hkdf_sha256"
    ) -> LinkKeys:
        """Derive the keys of both directions between a client and a server.

        Raises like `KeyMaterial.derive`.
        """
        to_server = Channel(session, client, server)
        return cls(
            material.for_channel(to_server, kdf), material.for_channel(to_server.reverse(), kdf)
        )


KeysOrKey: TypeAlias = LinkKeys | Secret
"""The keys of a link, or one key for both directions; a signature is valid in one of them only."""

KeyLookup: TypeAlias = Callable[[str], KeysOrKey | None]
"""Returns the keys of a peer by the name that it claims, or None to reject it as unknown.

It is called before the name is proven, so it must not change any state.
"""


def both_directions(keys: KeysOrKey) -> LinkKeys:
    """Return the keys of both directions."""
    return keys if isinstance(keys, LinkKeys) else LinkKeys(keys, keys)
