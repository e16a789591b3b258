"""The supervisor's end of the control plane."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import TracebackType
from typing import Self

import grpc
from sk_transport import KeyMaterial, Secret

from sk_control import _fields as check
from sk_control._control_keys import control_keys, with_control_keys
from sk_control._events import ControlEvent
from sk_control._gate import StartGate
from sk_control._grpc import METHOD_NAME, SERVICE_NAME, server_options
from sk_control._identity import WorkerIdentity
from sk_control._loopback import check_free, format_address
from sk_control._messages import BootstrapBundle, ControlMessage, Hello, StartWork
from sk_control._roster import Roster
from sk_control._seal import Clock
from sk_control._session import SessionState
from sk_control._settings import ControlSettings
from sk_control._streams import StreamService
from sk_control._threads import StreamThreads
from sk_control.errors import (
    ControlBindError,
    ControlClosedError,
    ControlSettingError,
    InvalidFieldError,
)


class ControlServer:
    """Listens on loopback, admits the workers it was told to expect, carries messages both ways.

    It listens from construction to `close`. `workers` is how many sessions may be open at once.
    `on_event` and `bundle_for` are called from the server's threads, the events of one worker in
    order and from one thread; they must not block for long, and `on_event` must not raise. What
    `bundle_for` raises comes back as a `WorkerLost`.

    Raises `ControlSettingError` for an address that is not loopback and `ControlBindError` for one
    that is not to be had.
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
        self._session_id, self._key_material, self._make_bundle = (
            session_id,
            key_material,
            bundle_for,
        )
        self._roster = Roster(session_id, settings, clock)
        self._threads = StreamThreads("sk-control-server")
        self._streams = StreamService(
            self._roster, self._bundle_for, on_event, settings, self._threads
        )
        self._lock = threading.Lock()
        self._closed = False
        check_free(host, port)
        self._grpc = self._make_server(settings, workers + 2 * settings.max_waiting)
        self._address = format_address(host, self._listen(address))

    @property
    def session_id(self) -> str:
        """What every message of this server's workers is bound to."""
        return self._session_id

    @property
    def address(self) -> str:
        """Where workers dial: `127.0.0.1:PORT`."""
        return self._address

    def expect(self, identity: WorkerIdentity, token: Secret, deadline_ns: int) -> None:
        """Open a place for one worker, who may say hello once, until `deadline_ns` on the clock.

        A token is random and used for one worker only: `Secret.generate()`. Raises
        `WorkerExpectedTwiceError` for an id that was expected before, `ControlClosedError` after
        `close`.
        """
        self._check_open()
        self._roster.expect(identity, token, deadline_ns)

    def send(self, worker_id: str, message: ControlMessage) -> None:
        """Sign and queue a message for a worker.

        Raises `ControlProtocolError` when it is out of order, and then changes nothing;
        `WorkerNotExpectedError`; `ControlLostError` when the worker is gone; `InvalidFieldError`
        when it is too large; `ControlClosedError`.
        """
        self._check_open()
        self._roster.endpoint(worker_id).send(message)

    def start_work(self, required: Iterable[str]) -> None:
        """Send `StartWork` to all of `required`, if every one of them is ready; else to none.

        Raises `StartGateClosedError`, which names those that are not ready. A worker that is lost
        while the others are being told raises what `send` raises.
        """
        self._check_open()
        gate = StartGate(required)
        gate.check(self._roster.states())
        for worker_id in gate.required:
            self._roster.endpoint(worker_id).send(StartWork())

    def states(self) -> dict[str, SessionState]:
        """How far the session of every worker ever expected has come, by worker id."""
        return self._roster.states()

    def refusals(self) -> dict[str, int]:
        """How many messages and streams were refused so far, by `RefusalCategory`, zeros too."""
        return self._streams.refusals.snapshot()

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Send what is queued, end all streams and stop listening; idempotent.

        A worker that takes nothing any more is cut off after the timeout. When this returns, no
        thread of the server is left (but one that sits in `on_event` for longer than that) and no
        further event comes. No `WorkerLost` is reported for a stream that ends here.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._streams.close()
        try:
            ended = self._grpc.stop(timeout_seconds)
        except RuntimeError:  # the system has no thread to wait in
            ended = self._grpc.stop(None)
        ended.wait()
        self._threads.join(timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ControlClosedError("control server")

    def _make_server(self, settings: ControlSettings, streams: int) -> grpc.Server:
        server = grpc.server(
            self._threads,  # type: ignore[arg-type] # any executor will do
            options=server_options(settings),
            maximum_concurrent_rpcs=streams,
        )
        # Bytes in, bytes out: what a stranger sends is decoded by this package, which counts what
        # it refuses.
        method = grpc.stream_stream_rpc_method_handler(self._streams.serve)
        server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(SERVICE_NAME, {METHOD_NAME: method})]
        )
        return server

    def _listen(self, address: str) -> int:
        try:
            port = self._grpc.add_insecure_port(address)
        except RuntimeError:
            raise ControlBindError(address, "gRPC cannot bind it") from None
        self._grpc.start()
        return port

    def _bundle_for(self, hello: Hello) -> BootstrapBundle:
        bundle = self._make_bundle(hello)
        place = (bundle.group, bundle.worker_index, bundle.incarnation)
        if place != (hello.group, hello.index, hello.incarnation):
            raise InvalidFieldError(
                "bootstrap_bundle", "group", "the place of the worker that said hello"
            )
        control = control_keys(self._key_material, self._session_id, hello.worker_id)
        return replace(bundle, keys=with_control_keys(bundle.keys, control))
