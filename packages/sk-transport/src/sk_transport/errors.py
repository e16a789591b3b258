"""All errors of sk-transport.

Each error has a stable `category` (counted, logged and compared by the layers above), typed fields,
and a message built from those fields alone. No message, field or repr ever holds a key, a
signature, a header or a payload. All errors can be pickled, so that a supervisor can report the
error of a worker.
"""

from __future__ import annotations

from sk_transport._fielded import FieldedError


class TransportError(FieldedError):
    """Base of every error that leaves this package. A subclass's annotations are its fields."""

    category = "transport"
    says = "the transport failed"


# ---- the received bytes are not a frame; the stream cannot be read any further -------------------


class FrameError(TransportError):
    """The received bytes are not a frame. The sender is at fault, and the stream is lost."""

    category = "malformed"


class UnsupportedVersionError(FrameError):
    """The prefix names a protocol version that this side does not support."""

    version: int
    supported: int
    category = "version"
    says = "the peer speaks frame version {version}, this side {supported}: run one release on both"


class UnsupportedKindError(FrameError):
    """The prefix names a kind of frame that does not exist."""

    kind: int
    category = "kind"
    says = "the peer sent a frame of unknown kind {kind}: it is no peer of this protocol"


class OversizeFrameError(FrameError):
    """A frame, received or to be sent, is larger than the limit (of the whole frame, in bytes)."""

    size: int
    limit: int
    category = "oversize"
    says = "a frame of {size} bytes exceeds the limit of {limit}: send less at once or raise it"


class OversizeHeaderError(FrameError):
    """The header of a frame, received or to be sent, is larger than the limit (in bytes)."""

    size: int
    limit: int
    category = "oversize"
    says = "a frame header of {size} bytes exceeds the limit of {limit}: the sender must shorten it"


class FrameTooShortError(FrameError):
    """The frame's length field is smaller than the fixed prefix requires (bytes)."""

    length: int
    minimum: int
    says = "the peer's frame says {length} bytes, a prefix takes {minimum}: the peer is broken"


class HeaderOverrunError(FrameError):
    """The frame's header length is larger than the frame has bytes after the prefix."""

    header_length: int
    room: int
    says = "the peer's frame has room for {room} bytes of header, not {header_length}: it broke"


class TruncatedFrameError(FrameError):
    """The stream ended inside a frame; `expected` is None if its length had not arrived either."""

    received: int
    expected: int | None
    category = "truncated"
    says = "the peer closed in mid-frame, after {received} bytes of {expected}: it was cut off"


# ---- a whole frame that must not be used ---------------------------------------------------------


class FrameRefusedError(TransportError):
    """A whole frame was rejected and none of it may be used. Later frames may still be valid."""


class InvalidSignatureError(FrameRefusedError):
    """The frame's signature was not made with the key and names of this channel."""

    session: str
    sender: str
    receiver: str
    category = "signature"
    says = (
        "a frame on {session!r} from {sender!r} to {receiver!r} has no valid signature: it is "
        "forged, altered or of another channel, or the two ends have different keys"
    )


class ExpiredFrameError(FrameRefusedError):
    """The frame's time is outside the TTL; `age_seconds` is negative for a time in the future."""

    age_seconds: float
    ttl_seconds: float
    category = "expired"
    says = (
        "a frame is {age_seconds:.3f} s old (below 0: from the future), accepted are "
        "{ttl_seconds:g} s either way: it is a replay, the receiver has fallen behind, or the two "
        "ends use different clocks"
    )


class ReplayedNonceError(FrameRefusedError):
    """The frame's nonce was accepted before, or does not follow the last one of its link."""

    age_seconds: float
    category = "replay"
    says = "a frame of {age_seconds:.3f} s ago came a second time: someone replays what was sent"


class ReplayGuardFullError(FrameRefusedError):
    """The replay guard cannot remember more nonces of this sender, until one of them expires."""

    capacity: int
    ttl_seconds: float
    category = "replay_guard_full"
    says = (
        "{capacity} nonces came from one sender within {ttl_seconds:g} s, and the replay guard "
        "remembers no more of it: this sender is refused until one expires; raise nonce_cache_size "
        "or lower ttl_seconds"
    )


# ---- the handshake -------------------------------------------------------------------------------


class HandshakeError(TransportError):
    """A connection failed its handshake: the peer is at fault, or keys or names differ."""

    category = "handshake"


class UnexpectedKindError(HandshakeError):
    """A frame of a known kind arrived when that kind is not allowed."""

    expected: str
    received: str
    category = "kind"
    says = "the peer sent {received} where {expected} was due: it breaks the protocol"


class UnknownPeerError(HandshakeError):
    """No key is known for the identity that the peer claims."""

    identity: str
    category = "identity"
    says = "a peer calls itself {identity!r}, who has no key here: a stranger, or no longer due"


class MalformedHandshakeError(HandshakeError):
    """The content of a HELLO or WELCOME is not valid."""

    reason: str
    says = "the peer's handshake is malformed: {reason}"


class HandshakeFailedError(HandshakeError):
    """The server closed the connection instead of answering; it withholds the reason on purpose."""

    server: str
    says = "{server!r} refused this client without a word: compare the session, names and keys"


class WaitingRoomFullError(HandshakeError):
    """Too many connections were waiting for their handshake, and the oldest was dropped."""

    limit: int
    category = "overload"
    says = "more than {limit} connections wait for a handshake, the oldest was dropped: a flood"


# ---- secrets, names and settings: the caller is at fault -----------------------------------------


class SecretError(TransportError):
    """Secret material was used in a way that is not allowed."""

    category = "secret"


class SecretExposureError(SecretError):
    """A secret was about to be serialised, for example pickled."""

    operation: str
    says = "a secret must not be serialised ({operation}): hand it over on purpose, with reveal()"


class UnusableSecretError(SecretError):
    """A secret is empty, is not `bytes`, or was to be generated too short."""

    reason: str
    says = "unusable secret: {reason}"


class KeyDerivationError(SecretError):
    """A key cannot be derived from the given labels or with the given KDF."""

    reason: str
    says = "cannot derive a key: {reason}"


class InvalidSettingError(TransportError):
    """A limit, name or other setting has a value that is not allowed."""

    setting: str
    value: object
    expected: str
    category = "setting"
    says = "{setting} is {value!r}, expected {expected}"


class StaticSecretWarning(UserWarning):
    """A static secret is in use, which is meant for local development only."""


# ---- the socket ----------------------------------------------------------------------------------


class BindError(TransportError):
    """This package or the operating system refused to listen at this address."""

    host: object
    port: object
    reason: str
    category = "bind"
    says = "cannot listen at {host!r} port {port!r}: {reason}"


class ConnectError(TransportError):
    """This package or the operating system refused to connect to this address."""

    host: object
    port: object
    reason: str
    category = "connect"
    says = "cannot connect to {host!r} port {port!r}: {reason}"


class AcceptError(TransportError):
    """The system could not accept a new connection (for example, out of file descriptors)."""

    reason: str
    category = "accept"
    says = "cannot accept a connection: {reason}"


class ChannelClosedError(TransportError):
    """The channel or listener was closed; `by` is "this side" or "the peer"."""

    by: str
    reason: str
    category = "closed"
    says = "the channel was closed by {by}: {reason}"


class DeadlineError(TransportError):
    """An operation did not end within its time limit, in seconds."""

    operation: str
    seconds: float
    category = "timeout"
    says = "{operation} did not end within {seconds:g} s"
