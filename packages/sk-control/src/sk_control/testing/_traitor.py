"""A worker that was admitted and has its keys, but breaks the rules."""

from __future__ import annotations

from typing import Any

from sk_transport import Secret, counting_nonces

from sk_control._control_keys import control_keys_of, token_keys
from sk_control._identity import WorkerIdentity
from sk_control._kinds import Direction
from sk_control._messages import BootstrapBundle, BundleAck, ControlMessage, Hello
from sk_control._seal import SUPPORTED_VERSIONS, Clock, seal_and_open
from sk_control._settings import ControlSettings
from sk_control._signed_message import parse_signed
from sk_control.errors import ControlConnectError
from sk_control.testing._forge import forge
from sk_control.testing._stranger import Stranger, StrangersStream


class Traitor:
    """Connects as a valid worker when constructed, and can then send arbitrary messages.

    `hello` and `bundle` are the signed messages in wire form, `stream` is the stream to send on,
    `first_key` the key derived from the token, which signed the hello. Raises `ControlConnectError`
    if the server does not admit it.
    """

    def __init__(
        self,
        stranger: Stranger,
        session_id: str,
        identity: WorkerIdentity,
        token: Secret,
        *,
        clock: Clock,
        settings: ControlSettings | None = None,
    ) -> None:
        self._session_id, self._identity, self._clock = session_id, identity, clock
        self._nonces = counting_nonces()
        keys = token_keys(token, session_id, identity.worker_id)
        place = (identity.worker_id, identity.group, identity.index, identity.incarnation)
        self._key = keys[Direction.TO_SUPERVISOR]
        self.hello = self.seal(Hello(SUPPORTED_VERSIONS, *place, pid=1))
        _, opener = seal_and_open(
            Direction.TO_SUPERVISOR,
            keys,
            versions=SUPPORTED_VERSIONS,
            session_id=session_id,
            worker_id=identity.worker_id,
            settings=settings or ControlSettings(),
            clock=clock,
        )
        self.stream: StrangersStream = stranger.open()
        self.stream.send(self.hello)
        self.bundle = self.stream.receive()
        bundle = opener.verify(parse_signed(self.bundle))
        if not isinstance(bundle, BootstrapBundle):
            raise ControlConnectError("the server", "its first message is no bundle")
        self.first_key = self._key
        self._key = control_keys_of(bundle.keys)[Direction.TO_SUPERVISOR]
        self.stream.send(self.seal(BundleAck()))

    def seal(self, message: ControlMessage, key: Secret | None = None, **changes: Any) -> bytes:
        """Sign a message as this worker, or with another key; `changes` are those of `forge`.

        Nonces increase with every call, so messages must be sent in order to be accepted.
        """
        fields: dict[str, Any] = {
            "session_id": self._session_id,
            "worker_id": self._identity.worker_id,
            "clock": self._clock,
            "nonce": self._nonces(),
        }
        return forge(message, key or self._key, **{**fields, **changes})
