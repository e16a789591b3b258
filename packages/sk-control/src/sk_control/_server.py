"""The supervisor's end of the control plane."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Self

import grpc
from sk_transport import KeyMaterial, Secret

from sk_control import _fields as check
from sk_control._control_keys import control_keys, with_control_keys
from sk_control._events import ControlEvent
from sk_control._grpc import METHOD_NAME, SERVICE_NAME, server_options
from sk_control._identity import WorkerIdentity
from sk_control._loopback import check_free, format_address
from sk_control._messages import BootstrapBundle, ControlMessage, Hello
from sk_control._roster import Roster
from sk_control._seal import Clock
from sk_control._settings import ControlSettings
from sk_control._streams import StreamService
from sk_control._threads import StreamThreads
from sk_control._transitions import SessionState
from sk_control.errors import (
    ControlBindError,
    ControlClosedError,
    ControlSettingError,
    InvalidFieldError,
)

#: How long gRPC may take to cancel the calls that have not ended within the timeout.
_CANCEL_SECONDS = 1.0


class ControlServer:
    """The supervisor's end: listens on loopback and holds the sessions of expected workers.

    It listens from construction to `close`. The control keys of all workers are derived from
    `key_material`. `workers` is how many sessions may be open at once. `clock` returns nanoseconds,
    and workers must use the same clock. `bundle_for` makes the bootstrap bundle of a worker whose
    hello was accepted. Threads of the server call it and `on_event`, the events of one worker in
    order and from one thread. Neither may block for long, and `on_event` must not raise; an
    exception of `bundle_for` is reported in a `WorkerLost`.

    Raises `ControlSettingError` for an address that is not loopback or another bad setting,
    `InvalidFieldError` for a session id that is not a valid name, and `ControlBindError` for a port
    that cannot be listened on.
    """

    def __init__(
        self,
        session_id: str,
        key_material: KeyMaterial,
        *,
        workers: int,
        bundle_for: Callable[[Hello], BootstrapBundle],
        on_event: Callable[[ControlEvent], None],
        host: str = "127.0.0.1",
        port: int = 0,
        settings: ControlSettings | None = None,
        clock: Clock = time.monotonic_ns,
    ) -> None:
        settings = settings or ControlSettings()
        if workers < 1:
            raise ControlSettingError("workers", workers, "at least 1")
        check.name("signed_message", "session_id", session_id)
        address = format_address(host, port)
        self._session_id, self._key_material = session_id, key_material
        self._make_bundle = bundle_for
        self._roster = Roster(session_id, settings, clock)
        self._threads = StreamThreads("sk-control-server")
        self._streams = StreamService(
            self._roster, self._bundle_for, on_event, settings, self._threads
        )
        self._lock = threading.Lock()
        check_free(host, port)
        server = self._make_server(settings, workers + 2 * settings.max_waiting)
        self._address = format_address(host, self._listen(server, address))
        self._grpc: grpc.Server | None = server  # None after `close`

    @property
    def address(self) -> str:
        """The address that workers connect to, such as `127.0.0.1:PORT`."""
        return self._address

    def expect(self, identity: WorkerIdentity, token: Secret, deadline_ns: int) -> None:
        """Accept one hello of this worker, until `deadline_ns` on the server's clock.

        The token must be random and used for one worker only: `Secret.generate()`. Raises
        `WorkerExpectedTwiceError` for an id that was expected before and is not forgotten,
        `ControlClosedError` after `close`.
        """
        self._check_open()
        self._roster.expect(identity, token, deadline_ns)

    def forget(self, worker_id: str) -> None:
        """Release everything known about a worker that is gone, so that memory does not grow.

        From now on its hello is rejected as that of an unknown worker, and messages on an open
        session of it are not reported.
        """
        self._roster.forget(worker_id)

    def send(self, worker_id: str, message: ControlMessage) -> None:
        """Sign and queue a message for a worker.

        Raises `ControlProtocolError` when it is out of order, `InvalidFieldError` when it is too
        large, `WorkerNotExpectedError` for a worker that is not known, `ControlLostError` when the
        worker is gone, `ControlClosedError` after `close`. After an error nothing was sent.
        """
        self._check_open()
        self._roster.endpoint(worker_id).send(message)

    def states(self) -> dict[str, SessionState]:
        """Return the session state of every worker that is not forgotten, by worker id."""
        return self._roster.states()

    def refusals(self) -> dict[str, int]:
        """Return how many messages and streams were rejected, by `RefusalCategory`, with zeros."""
        return self._streams.refusals.snapshot()

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Send the queued messages, end all streams and stop listening; idempotent.

        Messages that a worker has not received within the timeout are dropped. When this returns,
        no thread of the server is left, unless `on_event` has run for longer than the timeout, and
        no further event is reported. Streams that this ends are not reported as `WorkerLost`.
        """
        with self._lock:
            # Drop the reference: handlers and server form a reference cycle, and the poller's
            # descriptors would stay open until the next garbage collection.
            server, self._grpc = self._grpc, None
        if server is None:
            return
        self._streams.close()
        try:
            ended = server.stop(timeout_seconds)
        except RuntimeError:  # the system cannot start the thread that waits for the timeout
            ended = server.stop(None)
        ended.wait(timeout_seconds + _CANCEL_SECONDS)
        self._threads.join(timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._grpc is None:
            raise ControlClosedError("control server")

    def _make_server(self, settings: ControlSettings, streams: int) -> grpc.Server:
        server = grpc.server(
            self._threads,  # type: ignore[arg-type] # any executor will do
            options=server_options(settings),
            maximum_concurrent_rpcs=streams,
        )
        # Without (de)serialisers: this package decodes all received bytes itself, so that it can
        # reject and count invalid ones.
        method = grpc.stream_stream_rpc_method_handler(self._streams.serve)
        server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(SERVICE_NAME, {METHOD_NAME: method})]
        )
        return server

    def _listen(self, server: grpc.Server, address: str) -> int:
        try:
            port = server.add_insecure_port(address)
        except RuntimeError:
            raise ControlBindError(address, "gRPC cannot bind it") from None
        try:
            # Check that a thread can be started: a gRPC server started without one never ends.
            self._threads.start(lambda: None)
        except RuntimeError as fault:
            raise ControlBindError(address, str(fault)) from fault
        server.start()
        return port

    def _bundle_for(self, hello: Hello) -> BootstrapBundle:
        """Make a worker's bundle, and add its control keys."""
        bundle = self._make_bundle(hello)
        place = (bundle.group, bundle.worker_index, bundle.incarnation)
        if place != (hello.group, hello.index, hello.incarnation):
            raise InvalidFieldError(
                "bootstrap_bundle", "group", "the place of the worker that said hello"
            )
        control = control_keys(self._key_material, self._session_id, hello.worker_id)
        return replace(bundle, keys=with_control_keys(bundle.keys, control))
