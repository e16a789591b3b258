"""One end of one worker's session: message order, keys and signatures. No I/O."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from sk_control._codec import kind_of
from sk_control._codes import RefusalCode
from sk_control._control_keys import control_keys_of
from sk_control._kinds import MessageKind
from sk_control._messages import BootstrapBundle, ControlMessage
from sk_control._seal import Opener, Sealer
from sk_control._session import ControlPlaneSession
from sk_control._signed_message import SignedMessage, parse_signed
from sk_control._transitions import SessionState
from sk_control.errors import ControlLostError, InvalidFieldError, MessageRefusedError

_FIRST = {MessageKind.HELLO, MessageKind.BOOTSTRAP_BUNDLE}
"""The first message of each direction; the session allows neither of them a second time."""


class Endpoint:
    """Converts messages to signed bytes and back, in the order that the session allows.

    Both ends begin with the keys derived from the worker's token. After the bootstrap bundle was
    sent or received, they use the control keys in it. `max_bytes` is the largest signed message.
    Thread-safe; messages are sent in the order in which they are signed.
    """

    def __init__(self, sealer: Sealer, opener: Opener, max_bytes: int) -> None:
        self._sealer, self._opener, self._max_bytes = sealer, opener, max_bytes
        self._session = ControlPlaneSession(sealer.worker_id)
        self._lock = threading.Lock()
        self._put: Callable[[bytes], None] | None = None

    @property
    def worker_id(self) -> str:
        """The worker whose session this is."""
        return self._sealer.worker_id

    @property
    def state(self) -> SessionState:
        """The state of the session, as this end knows it."""
        return self._session.state

    def attach(self, put: Callable[[bytes], None]) -> None:
        """Send by calling `put` with signed bytes from now on; `put` must not block."""
        with self._lock:
            self._put = put

    def detach(self) -> SessionState:
        """Send nothing from now on, as the stream is gone; return the state of the session."""
        with self._lock:
            self._put = None
            return self._session.state

    def send(self, message: ControlMessage) -> None:
        """Sign and queue one message.

        Raises `ControlProtocolError` when it is out of order, `ControlLostError` when there is no
        stream, and `InvalidFieldError` when it is too large. After an error nothing was sent and
        the state is unchanged.
        """
        kind = kind_of(message)
        with self._lock:
            self._session.check(kind)
            if self._put is None:
                raise ControlLostError(self.worker_id)
            raw = self._sealer.seal(message)
            if len(raw) > self._max_bytes:
                raise InvalidFieldError(
                    kind.label, "size", f"at most {self._max_bytes} bytes when signed"
                )
            self._rekey(message)
            self._put(raw)
            self._session.advance(kind)

    def receive(self, raw: bytes) -> ControlMessage:
        """Verify and accept one message.

        Raises `MessageRefusedError` or `ControlProtocolError`; then the session's state is
        unchanged.
        """
        with self._lock:
            if len(raw) > self._max_bytes:
                raise MessageRefusedError(RefusalCode.OVERSIZED, self.worker_id)
            signed = parse_signed(raw)
            return self._accept(signed, self._opener.verify(signed))

    def greet(
        self, signed: SignedMessage, hello: ControlMessage, put: Callable[[bytes], None]
    ) -> None:
        """Accept a hello that was already verified, and send through `put` from now on."""
        with self._lock:
            self._accept(signed, hello)
            self._put = put

    def _accept(self, signed: SignedMessage, message: ControlMessage) -> ControlMessage:
        kind = kind_of(message)
        self._session.check(kind)
        if kind in _FIRST:
            self._opener = self._opener.following(signed)
        self._rekey(message)
        self._session.advance(kind)
        return message

    def _rekey(self, message: ControlMessage) -> None:
        if isinstance(message, BootstrapBundle):
            keys = control_keys_of(message.keys)
            self._sealer = replace(self._sealer, key=keys[self._sealer.direction])
            self._opener = replace(self._opener, key=keys[self._opener.direction])
