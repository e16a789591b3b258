"""The keys of the two directions between a client and a server, and how a server finds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sk_transport._channel import Channel
from sk_transport._keys import Kdf, KeyMaterial
from sk_transport._secret import Secret


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """One key per direction."""

    to_server: Secret
    to_client: Secret

    @classmethod
    def derive(
        cls, material: KeyMaterial, session: str, client: str, server: str, kdf: Kdf = "hkdf_sha256"
    ) -> LinkKeys:
        """Derive both directions' keys for one client of one server.

        Raises as `KeyMaterial.derive` does.
        """
        forth = Channel(session, client, server)
        return cls(material.for_channel(forth, kdf), material.for_channel(forth.reverse(), kdf))


# A single `Secret` serves both directions; the channel binding still keeps them apart.
KeysOrKey: TypeAlias = LinkKeys | Secret

KeyLookup: TypeAlias = Callable[[str], KeysOrKey | None]
"""From the identity that a peer claims to its keys; None: not a peer (unknown, or no longer due).

The identity is not yet proven when this is called: a lookup must have no effect.
"""


def both_directions(keys: KeysOrKey) -> LinkKeys:
    """Return the keys of both directions."""
    return keys if isinstance(keys, LinkKeys) else LinkKeys(keys, keys)
