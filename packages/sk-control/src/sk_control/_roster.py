"""The workers that a server expects, and the checks of their first messages. No I/O."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from sk_transport import Secret

from sk_control._codec import kind_of
from sk_control._codes import ProtocolCode, RefusalCode
from sk_control._control_keys import token_keys
from sk_control._endpoint import Endpoint
from sk_control._identity import WorkerIdentity
from sk_control._kinds import Direction
from sk_control._messages import ControlMessage, Hello
from sk_control._seal import SUPPORTED_VERSIONS, Clock, Opener, seal_and_open
from sk_control._settings import ControlSettings
from sk_control._signed_message import SignedMessage, parse_signed
from sk_control._transitions import SessionState
from sk_control.errors import (
    ControlProtocolError,
    MessageRefusedError,
    VersionMismatchError,
    WorkerExpectedTwiceError,
    WorkerNotExpectedError,
)


@dataclass(slots=True)
class _ExpectedWorker:
    """The identity and session of an expected worker, with the check and deadline of its hello."""

    identity: WorkerIdentity
    deadline_ns: int
    hello_opener: Opener
    endpoint: Endpoint
    token_used: bool = False


class Roster:
    """All workers that were expected and are not forgotten, by id. Thread-safe."""

    def __init__(self, session_id: str, settings: ControlSettings, clock: Clock) -> None:
        self._session_id, self._settings, self._clock = session_id, settings, clock
        self._lock = threading.Lock()
        self._workers: dict[str, _ExpectedWorker] = {}

    def expect(self, identity: WorkerIdentity, token: Secret, deadline_ns: int) -> None:
        """Expect one hello of a worker; raises `WorkerExpectedTwiceError`."""
        worker = self._expected(identity, token, deadline_ns)
        with self._lock:
            if identity.worker_id in self._workers:
                raise WorkerExpectedTwiceError(identity.worker_id)
            self._workers[identity.worker_id] = worker

    def endpoint(self, worker_id: str) -> Endpoint:
        """Return the supervisor's end of a worker's session; raises `WorkerNotExpectedError`."""
        with self._lock:
            try:
                return self._workers[worker_id].endpoint
            except KeyError:
                raise WorkerNotExpectedError(worker_id) from None

    def forget(self, worker_id: str) -> None:
        """Remove a worker, if it is known."""
        with self._lock:
            self._workers.pop(worker_id, None)

    def states(self) -> dict[str, SessionState]:
        """Return the state of every worker's session, by worker id."""
        with self._lock:
            return {id_: worker.endpoint.state for id_, worker in self._workers.items()}

    def knows(self, worker_id: str) -> bool:
        """Return whether a worker of this id was expected and is not forgotten."""
        with self._lock:
            return worker_id in self._workers

    def admit(self, raw: bytes, put: Callable[[bytes], None]) -> Hello:
        """Accept the first message of a stream: a worker's hello, which uses its token up.

        From then on, messages to the worker are passed to `put`. Raises `MessageRefusedError` or
        `ControlProtocolError`; then the worker is still expected.
        """
        if len(raw) > self._settings.max_hello_bytes:
            raise MessageRefusedError(RefusalCode.OVERSIZED)
        signed = parse_signed(raw)
        with self._lock:
            worker = self._find(signed)
            hello = _check_hello(worker.identity, worker.hello_opener.verify(signed))
            if worker.token_used:
                raise MessageRefusedError(RefusalCode.TOKEN_USED, signed.worker_id)
            if self._clock() > worker.deadline_ns:
                raise MessageRefusedError(RefusalCode.TOKEN_EXPIRED, signed.worker_id)
            worker.endpoint.greet(signed, hello, put)
            worker.token_used = True
            return hello

    def _find(self, signed: SignedMessage) -> _ExpectedWorker:
        if signed.protocol_version not in SUPPORTED_VERSIONS:
            theirs = (signed.protocol_version,)
            raise VersionMismatchError.between(SUPPORTED_VERSIONS, theirs, signed.worker_id)
        if signed.session_id != self._session_id:
            raise MessageRefusedError(RefusalCode.WRONG_SESSION, signed.worker_id)
        try:
            return self._workers[signed.worker_id]
        except KeyError:
            raise MessageRefusedError(RefusalCode.UNKNOWN_WORKER, signed.worker_id) from None

    def _expected(
        self, identity: WorkerIdentity, token: Secret, deadline_ns: int
    ) -> _ExpectedWorker:
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
        return _ExpectedWorker(identity, deadline_ns, opener, endpoint)


def _check_hello(identity: WorkerIdentity, message: ControlMessage) -> Hello:
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
