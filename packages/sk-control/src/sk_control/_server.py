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

#: How long gRPC may take to cancel what has not ended in its time.
_CANCEL_SECONDS = 1.0


class ControlServer:
    """Listens on loopback, admits the workers that it was told to expect, and talks to them.

    It listens from construction to `close`. `key_material` is what the control keys of all workers
    are derived from, `workers` how many sessions may be open at once; `clock` gives nanoseconds and
    must be that of the workers. `bundle_for` makes the bootstrap bundle of a worker whose hello was
    accepted. It and `on_event` are called from the server's threads, the events of one worker in
    order and from one thread; they must not block for long, and `on_event` must not raise. What
    `bundle_for` raises comes back in a `WorkerLost`.

    Raises `ControlSettingError` for an address that is not loopback or an impossible setting,
    `InvalidFieldError` for a session id that is no name, and `ControlBindError` for a port that
    cannot be listened on.
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
        self._grpc: grpc.Server | None = server  # None when closed

    @property
    def address(self) -> str:
        """Where workers dial: `127.0.0.1:PORT`."""
        return self._address

    def expect(self, identity: WorkerIdentity, token: Secret, deadline_ns: int) -> None:
        """Admit one hello of this worker, until `deadline_ns` on the server's clock.

        The token must be random, and one worker's only: `Secret.generate()`. Raises
        `WorkerExpectedTwiceError` for an id that was expected before and is not forgotten,
        `ControlClosedError` after `close`.
        """
        self._check_open()
        self._roster.expect(identity, token, deadline_ns)

    def forget(self, worker_id: str) -> None:
        """Let go of all that is known of a worker that is gone, so that many may come and go.

        Its hello is a stranger's from now on, and what it says on an open session is not heard.
        """
        self._roster.forget(worker_id)

    def send(self, worker_id: str, message: ControlMessage) -> None:
        """Sign and queue a message for a worker.

        Raises `ControlProtocolError` when it is out of order, `InvalidFieldError` when it is too
        large, `WorkerNotExpectedError` for a worker that was never expected, `ControlLostError`
        when it is gone, `ControlClosedError` after `close`; then nothing was sent.
        """
        self._check_open()
        self._roster.endpoint(worker_id).send(message)

    def states(self) -> dict[str, SessionState]:
        """How far the session of every worker has come that is not forgotten, by worker id."""
        return self._roster.states()

    def refusals(self) -> dict[str, int]:
        """How many messages and streams were refused so far, by `RefusalCategory`, zeros too."""
        return self._streams.refusals.snapshot()

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Send what is queued, end all streams and stop listening; idempotent.

        What a worker has not taken within the timeout is dropped. When this returns, no thread of
        the server is left, unless one has been in `on_event` for that long, and no further event
        comes. A stream that ends by this is not reported as a `WorkerLost`.
        """
        with self._lock:
            # Let go of: its handlers lead back to it, and its poller's descriptors would stay open
            # until Python next looks for such cycles.
            server, self._grpc = self._grpc, None
        if server is None:
            return
        self._streams.close()
        try:
            ended = server.stop(timeout_seconds)
        except RuntimeError:  # the system has no thread to wait in
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
        # Bytes in, bytes out: this package decodes what a stranger sends, so that it can refuse and
        # count it.
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
            # Tried out: a server of gRPC's that begins without one is never rid of.
            self._threads.start(lambda: None)
        except RuntimeError as fault:
            raise ControlBindError(address, str(fault)) from fault
        server.start()
        return port

    def _bundle_for(self, hello: Hello) -> BootstrapBundle:
        """Make a worker's bundle, and put its control keys into it."""
        bundle = self._make_bundle(hello)
        place = (bundle.group, bundle.worker_index, bundle.incarnation)
        if place != (hello.group, hello.index, hello.incarnation):
            raise InvalidFieldError(
                "bootstrap_bundle", "group", "the place of the worker that said hello"
            )
        control = control_keys(self._key_material, self._session_id, hello.worker_id)
        return replace(bundle, keys=with_control_keys(bundle.keys, control))
