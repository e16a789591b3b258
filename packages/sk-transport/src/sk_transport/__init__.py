"""Signed frames over loopback TCP: framing, signing, replay guard, key material.

A `FrameDecoder` cuts bytes into `WireFrame`s. A `Signer` signs frames for one direction of a link
(a `Channel`), and a `Verifier` verifies them. `ClientHandshake` and `ServerHandshake` authenticate
the two ends to each other. None of these does I/O: `SecureTcpTransport` runs them on sockets and
returns each connection as a `SecureChannel`. The README specifies the wire format.
"""

from sk_transport._channel import Channel
from sk_transport._client_handshake import ClientHandshake
from sk_transport._decoder import FrameDecoder
from sk_transport._detached import DetachedChannel
from sk_transport._fielded import FieldedError
from sk_transport._handshake import HandshakeLimits
from sk_transport._keys import KeyMaterial
from sk_transport._limits import FrameLimits
from sk_transport._link import KeyLookup, LinkKeys
from sk_transport._listener import Listener
from sk_transport._nonces import counting_nonces
from sk_transport._replay import ReplayGuard
from sk_transport._secret import Secret
from sk_transport._secure_channel import SecureChannel, VerifierOf
from sk_transport._sequence import SequenceGuard
from sk_transport._server_handshake import AdmittedPeer, ServerHandshake
from sk_transport._signing import Signer, Verifier
from sk_transport._tcp import SecureTcpTransport
from sk_transport._wire import PROTOCOL_VERSION, Buffer, FrameKind, WireFrame
from sk_transport.errors import (
    AcceptError,
    BindError,
    ChannelClosedError,
    ConnectError,
    DeadlineError,
    ExpiredFrameError,
    FrameError,
    FrameRefusedError,
    FrameTooShortError,
    HandshakeError,
    HandshakeFailedError,
    HeaderOverrunError,
    InvalidSettingError,
    InvalidSignatureError,
    KeyDerivationError,
    MalformedHandshakeError,
    OversizeFrameError,
    OversizeHeaderError,
    ReplayedNonceError,
    ReplayGuardFullError,
    SecretError,
    SecretExposureError,
    StaticSecretWarning,
    TransportError,
    TruncatedFrameError,
    UnexpectedKindError,
    UnknownPeerError,
    UnsupportedKindError,
    UnsupportedVersionError,
    UnusableSecretError,
    WaitingRoomFullError,
)

__all__ = [
    "PROTOCOL_VERSION",
    "AcceptError",
    "AdmittedPeer",
    "BindError",
    "Buffer",
    "Channel",
    "ChannelClosedError",
    "ClientHandshake",
    "ConnectError",
    "DeadlineError",
    "DetachedChannel",
    "ExpiredFrameError",
    "FieldedError",
    "FrameDecoder",
    "FrameError",
    "FrameKind",
    "FrameLimits",
    "FrameRefusedError",
    "FrameTooShortError",
    "HandshakeError",
    "HandshakeFailedError",
    "HandshakeLimits",
    "HeaderOverrunError",
    "InvalidSettingError",
    "InvalidSignatureError",
    "KeyDerivationError",
    "KeyLookup",
    "KeyMaterial",
    "LinkKeys",
    "Listener",
    "MalformedHandshakeError",
    "OversizeFrameError",
    "OversizeHeaderError",
    "ReplayGuard",
    "ReplayGuardFullError",
    "ReplayedNonceError",
    "Secret",
    "SecretError",
    "SecretExposureError",
    "SecureChannel",
    "SecureTcpTransport",
    "SequenceGuard",
    "ServerHandshake",
    "Signer",
    "StaticSecretWarning",
    "TransportError",
    "TruncatedFrameError",
    "UnexpectedKindError",
    "UnknownPeerError",
    "UnsupportedKindError",
    "UnsupportedVersionError",
    "UnusableSecretError",
    "Verifier",
    "VerifierOf",
    "WaitingRoomFullError",
    "WireFrame",
    "counting_nonces",
]

__version__ = "0.1.0"
