"""The direction of a link that a signature is bound to, and the canonical encoding of names."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sk_transport.errors import InvalidSettingError

_COUNT = struct.Struct(">I")


def canonical(*parts: str) -> bytes:
    """Encode `parts` as length-prefixed UTF-8: no two different tuples give the same bytes.

    Raises `UnicodeEncodeError` for lone surrogates; callers raise an error that names the field.
    """
    encoded = [part.encode() for part in parts]
    return b"".join(_COUNT.pack(len(part)) + part for part in encoded)


@dataclass(frozen=True, slots=True)
class Channel:
    """One direction of one link in one session: the names that a frame's signature is bound to.

    It is a value without a connection. A connection is a `SecureChannel`, each end of which signs
    for one `Channel`. A frame that was signed for one channel is rejected on any other: in another
    session, by another worker, or in the opposite direction. The session must be new for every run:
    with a static secret, frames of an earlier run would otherwise be accepted. Raises
    `InvalidSettingError` for names that are empty or cannot be encoded as UTF-8, and if sender and
    receiver are the same.
    """

    session: str
    sender: str
    receiver: str

    def __post_init__(self) -> None:
        require_name("channel session", self.session)
        require_name("channel sender", self.sender)
        require_name("channel receiver", self.receiver)
        if self.sender == self.receiver:
            raise InvalidSettingError(
                "channel receiver", self.receiver, "another name than the sender's"
            )

    def binding(self) -> bytes:
        """Return the canonical bytes of this channel: each name as a u32 length and UTF-8."""
        return canonical(self.session, self.sender, self.receiver)

    def reverse(self) -> Channel:
        """Return the channel of the opposite direction: sender and receiver exchanged."""
        return Channel(self.session, self.receiver, self.sender)


def require_name(setting: str, value: str) -> None:
    """Raise `InvalidSettingError` if `value` is empty or cannot be encoded as UTF-8."""
    try:
        if value.encode():
            return
    except UnicodeEncodeError:
        pass
    raise InvalidSettingError(setting, value, "a name that is not empty and is UTF-8")
