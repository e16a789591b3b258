"""The workers that a server expects, and who may take which place. No I/O."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sk_transport import Secret

from sk_control._codec import kind_of
from sk_control._codes import ProtocolCode, RefusalCode
from sk_control._control_keys import token_keys
from sk_control._endpoint import Endpoint
from sk_control._envelope import Envelope, parse_envelope
from sk_control._identity import WorkerIdentity
from sk_control._kinds import Direction
from sk_control._messages import ControlMessage, Hello
from sk_control._seal import SUPPORTED_VERSIONS, Clock, Opener, seal_and_open
from sk_control._session import SessionState
from sk_control._settings import ControlSettings
from sk_control.errors import (
    ControlProtocolError,
    MessageRefusedError,
    VersionMismatchError,
    WorkerExpectedTwiceError,
    WorkerNotExpectedError,
)


@dataclass(slots=True)
class Place:
    """One expected worker: who it must be, how it proves it, until when; and its session."""

    identity: WorkerIdentity
    deadline_ns: int
    hello_opener: Opener
    endpoint: Endpoint
    used: bool = field(default=False)


class Roster:
    """Expected workers by id. Safe to use from any thread."""

    def __init__(self, session_id: str, settings: ControlSettings, clock: Clock) -> None:
        self._session_id, self._settings, self._clock = session_id, settings, clock
        self._lock = threading.Lock()
        self._places: dict[str, Place] = {}

    def expect(self, identity: WorkerIdentity, token: Secret, deadline_ns: int) -> None:
        """Open a place; raises `WorkerExpectedTwiceError`."""
        place = self._make_place(identity, token, deadline_ns)
        with self._lock:
            if identity.worker_id in self._places:
                raise WorkerExpectedTwiceError(identity.worker_id)
            self._places[identity.worker_id] = place

    def endpoint(self, worker_id: str) -> Endpoint:
        """The supervisor's end of a worker's session; raises `WorkerNotExpectedError`."""
        with self._lock:
            try:
                return self._places[worker_id].endpoint
            except KeyError:
                raise WorkerNotExpectedError(worker_id) from None

    def states(self) -> dict[str, SessionState]:
        """How far every worker's session has come."""
        with self._lock:
            return {worker_id: place.endpoint.state for worker_id, place in self._places.items()}

    def knows(self, worker_id: str) -> bool:
        """Whether a worker of this id was ever expected."""
        with self._lock:
            return worker_id in self._places

    def admit(self, raw: bytes, put: Callable[[bytes], None]) -> Hello:
        """Judge the first message of a stream; on success the place is taken and its token spent.

        Raises `MessageRefusedError` or `ControlProtocolError`; then nothing has changed.
        """
        if len(raw) > self._settings.max_hello_bytes:
            raise MessageRefusedError(RefusalCode.OVERSIZED)
        envelope = parse_envelope(raw)
        with self._lock:
            place = self._find(envelope)
            hello = _check_hello(place, place.hello_opener.verify(envelope))
            if place.used:
                raise MessageRefusedError(RefusalCode.TOKEN_USED, envelope.worker_id)
            if self._clock() > place.deadline_ns:
                raise MessageRefusedError(RefusalCode.TOKEN_EXPIRED, envelope.worker_id)
            place.endpoint.greet(hello, put)
            place.used = True
            return hello

    def _find(self, envelope: Envelope) -> Place:
        if envelope.protocol_version not in SUPPORTED_VERSIONS:
            theirs = (envelope.protocol_version,)
            raise VersionMismatchError.between(SUPPORTED_VERSIONS, theirs, envelope.worker_id)
        if envelope.session_id != self._session_id:
            raise MessageRefusedError(RefusalCode.WRONG_SESSION, envelope.worker_id)
        try:
            return self._places[envelope.worker_id]
        except KeyError:
            raise MessageRefusedError(RefusalCode.UNKNOWN_WORKER, envelope.worker_id) from None

    def _make_place(self, identity: WorkerIdentity, token: Secret, deadline_ns: int) -> Place:
        sealer, opener = seal_and_open(
            Direction.TO_WORKER,
            token_keys(token, self._session_id, identity.worker_id),
            versions=SUPPORTED_VERSIONS,
            session_id=self._session_id,
            worker_id=identity.worker_id,
            settings=self._settings,
            clock=self._clock,
        )
        endpoint = Endpoint(sealer, opener, self._settings.max_message_bytes)
        return Place(identity, deadline_ns, opener, endpoint)


def _check_hello(place: Place, message: ControlMessage) -> Hello:
    identity = place.identity
    if not isinstance(message, Hello):
        state, kind = SessionState.EXPECTED, kind_of(message)
        raise ControlProtocolError(
            ProtocolCode.MESSAGE_BEFORE_HELLO, state, kind, identity.worker_id
        )
    claimed = WorkerIdentity(message.worker_id, message.group, message.index, message.incarnation)
    if claimed != identity:
        raise MessageRefusedError(RefusalCode.IDENTITY_MISMATCH, identity.worker_id)
    if not set(message.protocol_versions) & set(SUPPORTED_VERSIONS):
        theirs = message.protocol_versions
        raise VersionMismatchError.between(SUPPORTED_VERSIONS, theirs, identity.worker_id)
    return message
