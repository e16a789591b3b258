"""The direction of a link that a signature is bound to, and names in canonical bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sk_transport.errors import InvalidSettingError

_COUNT = struct.Struct(">I")


def canonical(*parts: str) -> bytes:
    """Return `parts` as length-prefixed UTF-8: no two different tuples give the same bytes.

    Raises `UnicodeEncodeError` for lone surrogates; callers name the field.
    """
    encoded = [part.encode() for part in parts]
    return b"".join(_COUNT.pack(len(part)) + part for part in encoded)


@dataclass(frozen=True, slots=True)
class Channel:
    """One direction of one link in one session: the names that a frame's signature is bound to.

    It is a value and holds no connection; that is a `SecureChannel`, whose two ends have one such
    `Channel` each to sign for. A frame that was signed for one is refused on any other: of another
    session, of another worker, or of the way back. The session must be new for every run: a static
    secret would else admit frames of the last one. Raises `InvalidSettingError` for names that are
    empty or have no UTF-8 form, and for a sender that is the receiver.
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
        """Return the canonical bytes of this channel: each name as u32 length and UTF-8."""
        return canonical(self.session, self.sender, self.receiver)

    def reverse(self) -> Channel:
        """Return the channel of the other direction: sender and receiver exchanged."""
        return Channel(self.session, self.receiver, self.sender)


def require_name(setting: str, value: str) -> None:
    """Raise `InvalidSettingError` unless `value` is text that is not empty and has a UTF-8 form."""
    try:
        if value.encode():
            return
    except UnicodeEncodeError:
        pass
    raise InvalidSettingError(setting, value, "a name that is not empty and is UTF-8")
