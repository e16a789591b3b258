"""The worker's end of the control plane."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

import grpc
from sk_transport import Secret

from sk_control._control_keys import token_keys, without_control_keys
from sk_control._endpoint import Endpoint
from sk_control._events import LossReason
from sk_control._grpc import METHOD_PATH, channel_options, connect_fault
from sk_control._identity import WorkerIdentity
from sk_control._kinds import Direction
from sk_control._loopback import parse_address
from sk_control._messages import BootstrapBundle, BundleAck, ControlMessage, Hello
from sk_control._outbox import Outbox
from sk_control._refusals import RefusalCounter, category_of
from sk_control._seal import SUPPORTED_VERSIONS, Clock, seal_and_open
from sk_control._settings import ControlSettings
from sk_control._transitions import SessionState
from sk_control.errors import (
    ControlClosedError,
    ControlConnectError,
    ControlError,
    ControlProtocolError,
    ControlTimeoutError,
    KeyBundleConsumedError,
    MessageRefusedError,
)


class ControlPlaneChannel:
    """A worker's control session, open from `connect` to `close` or to the loss of the supervisor.

    `on_message` is called with every message except the bundle. `on_lost` is called once if the
    supervisor is gone without having stopped this worker. One thread of the channel calls both,
    possibly before `connect` has returned; they must not raise, and should only put into a queue.
    """

    @classmethod
    def connect(
        cls,
        address: str,
        session_id: str,
        identity: WorkerIdentity,
        token: Secret,
        *,
        on_message: Callable[[ControlMessage], None],
        on_lost: Callable[[LossReason], None],
        timeout_seconds: float = 30.0,
        settings: ControlSettings | None = None,
        clock: Clock = time.monotonic_ns,
        protocol_versions: tuple[int, ...] = SUPPORTED_VERSIONS,
    ) -> ControlPlaneChannel:
        """Send the hello, receive the bootstrap bundle and acknowledge it.

        `address` is that of the server, `token` the one-time token that it expects of `identity`;
        `clock` returns nanoseconds and must be the server's clock. All `protocol_versions` are
        offered; this end signs its messages with the first.

        Raises `ControlConnectError` when there is no control server, or the system cannot start a
        thread, `ControlTimeoutError` when there is no bundle within `timeout_seconds`,
        `HelloRefusedError` and `VersionMismatchError` when the supervisor rejects this worker,
        `MessageRefusedError` or `ControlProtocolError` when its answer is not valid,
        `ControlSettingError` for an address that is not loopback, `InvalidFieldError` for a session
        id that is not a valid name. After an error nothing is left open.
        """
        settings = settings or ControlSettings()
        hello = _hello(identity, tuple(protocol_versions))
        versions = hello.protocol_versions
        sealer, opener = seal_and_open(
            Direction.TO_SUPERVISOR,
            token_keys(token, session_id, identity.worker_id),
            versions=versions,
            session_id=session_id,
            worker_id=identity.worker_id,
            settings=settings,
            clock=clock,
        )
        endpoint = Endpoint(sealer, opener, settings.max_message_bytes)
        channel = cls(parse_address(address), endpoint, versions, settings, on_message, on_lost)
        try:
            channel._open(hello, timeout_seconds)
        except BaseException:
            channel._abandon()
            raise
        return channel

    def __init__(
        self,
        address: str,
        endpoint: Endpoint,
        versions: tuple[int, ...],
        settings: ControlSettings,
        on_message: Callable[[ControlMessage], None],
        on_lost: Callable[[LossReason], None],
    ) -> None:
        self._address, self._endpoint, self._versions = address, endpoint, versions
        self._on_message, self._on_lost = on_message, on_lost
        self._lock = threading.Lock()
        self._outbox = Outbox()
        self._refusals = RefusalCounter()
        self._bundle: BootstrapBundle | None = None
        self._fault: ControlError | None = None
        self._settled = threading.Event()
        self._closing = False
        self._grpc = grpc.insecure_channel(f"ipv4:{address}", channel_options(settings))
        self._call: Any = None
        self._reader = threading.Thread(target=self._read, name="sk-control-channel", daemon=True)

    @property
    def worker_id(self) -> str:
        """The worker whose channel this is."""
        return self._endpoint.worker_id

    @property
    def state(self) -> SessionState:
        """The state of the session, as this end knows it."""
        return self._endpoint.state

    def take_bundle(self) -> BootstrapBundle:
        """Return the bootstrap bundle, once, without the keys of the control plane itself.

        The channel keeps no reference to it. Raises `KeyBundleConsumedError` at every further call.
        """
        with self._lock:
            bundle, self._bundle = self._bundle, None
        if bundle is None:
            raise KeyBundleConsumedError(self.worker_id)
        return bundle

    def send(self, message: ControlMessage) -> None:
        """Sign and queue a message, from any thread; messages arrive in the order of the calls.

        Raises `ControlProtocolError` when it is out of order, `InvalidFieldError` when it is too
        large, `ControlLostError` when the supervisor is gone, `ControlClosedError` after `close`.
        After an error nothing was sent, and the state of the session is unchanged.
        """
        if self._closing:
            raise ControlClosedError("control channel")
        self._endpoint.send(message)

    def refusals(self) -> dict[str, int]:
        """Return how many messages were rejected, by `RefusalCategory`, including zeros."""
        return self._refusals.snapshot()

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Send the queued messages and close the connection; idempotent.

        Messages that the supervisor has not received within the timeout are dropped. When this
        returns, no thread of the channel is left, unless a callback has run for longer than the
        timeout, and `on_lost` will not be called.
        """
        with self._lock:
            if self._closing:
                return
            self._closing = True
        self._outbox.close()
        self._join(timeout_seconds)
        self._hang_up(timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- opening and ending ----------------------------------------------------------------------

    def _open(self, hello: Hello, timeout_seconds: float) -> None:
        self._endpoint.attach(self._outbox.put)
        self._endpoint.send(hello)
        try:
            # Check that a thread can be started: gRPC can never end a call that has none.
            threading.Thread(target=lambda: None, name=self._reader.name, daemon=True).start()
            self._call = self._grpc.stream_stream(METHOD_PATH, None, None)(iter(self._outbox))
            self._reader.start()
        except RuntimeError as fault:  # the system cannot start a thread
            raise ControlConnectError(self._address, str(fault)) from fault
        if not self._settled.wait(timeout_seconds):
            raise ControlTimeoutError(self._address, timeout_seconds)
        if self._fault is not None:
            raise self._fault

    def _abandon(self) -> None:
        self._closing = True
        self._hang_up(timeout_seconds=5.0)

    def _hang_up(self, timeout_seconds: float) -> None:
        self._outbox.close()
        if self._call is None:
            return  # no call was begun; closing gRPC would wait forever for a call without a thread
        self._call.cancel()
        self._join(timeout_seconds)
        self._grpc.close()
        self._outbox.finished.wait(timeout_seconds)

    def _join(self, timeout_seconds: float) -> None:
        if self._reader.is_alive() and self._reader is not threading.current_thread():
            self._reader.join(timeout_seconds)

    # ---- the reading thread ----------------------------------------------------------------------

    def _read(self) -> None:
        reason, failure = LossReason.STREAM_ENDED, None
        try:
            for raw in self._call:
                self._take(raw)
            reason = LossReason.CLOSED_BY_SUPERVISOR
        except grpc.RpcError as fault:
            failure = fault
        except (MessageRefusedError, ControlProtocolError) as fault:
            self._fault = fault
        finally:
            self._ended(reason, failure)

    def _take(self, raw: bytes) -> None:
        """Accept one message; an invalid first one ends the session, a later one is counted."""
        try:
            message = self._endpoint.receive(raw)
        except (MessageRefusedError, ControlProtocolError) as fault:
            if not self._settled.is_set():
                raise
            self._refusals.add(category_of(fault))
            return
        if isinstance(message, BootstrapBundle):
            self._bundle = replace(message, keys=without_control_keys(message.keys))
            self._endpoint.send(BundleAck())
            self._settled.set()
        else:
            self._on_message(message)

    def _ended(self, reason: LossReason, failure: grpc.RpcError | None) -> None:
        state = self._endpoint.detach()
        self._outbox.close()
        if not self._settled.is_set():
            if self._fault is None:
                self._fault = connect_fault(failure, self._address, self.worker_id, self._versions)
            self._settled.set()
        elif state is not SessionState.STOPPED and not self._closing:
            self._on_lost(reason)


def _hello(identity: WorkerIdentity, versions: tuple[int, ...]) -> Hello:
    place = (identity.group, identity.index, identity.incarnation)
    return Hello(versions, identity.worker_id, *place, os.getpid())
