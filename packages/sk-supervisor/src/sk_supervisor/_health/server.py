"""The thread that answers probes, and its listeners."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from sk_supervisor._health.checks import HealthChecks
from sk_supervisor._system.threads import begin, begun
from sk_supervisor.errors import HealthBindError

if TYPE_CHECKING:
    from sk_config import HealthConfig, HealthListenerConfig

    from sk_supervisor._health.http import Routes

_BACKLOG = 128
_GRACE_SECONDS = 0.5
_CLOSE_SECONDS = 5.0
#: The time limit for opening the listeners: gRPC may hang if it cannot start threads.
_LISTEN_SECONDS = 30.0


@contextmanager
def health_server(
    config: HealthConfig, checks: HealthChecks, routes: Routes | None = None
) -> Iterator[dict[str, str]]:
    """Answer probes inside the block; yield the bound addresses, by ``http`` and ``grpc``.

    :param routes: further routes of the HTTP listener.
    :raises HealthBindError: when an address cannot be bound, or a listener does not open in time.
    """
    server = _HealthThread(config, checks, routes or {})
    try:
        yield server.start()
    finally:
        server.close()


class _HealthThread:
    def __init__(self, config: HealthConfig, checks: HealthChecks, routes: Routes) -> None:
        self._config, self._checks, self._routes = config, checks, routes
        self._listening: Future[dict[str, str]] = Future()
        self._opening = "http" if config.http is not None else "grpc"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    def start(self) -> dict[str, str]:
        try:
            begin(self._thread)
            return self._listening.result(_LISTEN_SECONDS)
        except TimeoutError as late:
            problem = f"it does not listen after {_LISTEN_SECONDS:g} s"
            raise HealthBindError(self._opening, "its address", problem) from late
        except OSError as fault:  # no thread or descriptor is available
            reason = fault.strerror or type(fault).__name__
            raise HealthBindError(self._opening, "its address", reason) from fault

    def close(self) -> None:
        if self._loop is not None and self._serving is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: it could not listen
                self._loop.call_soon_threadsafe(self._serving.cancel)
        if begun(self._thread):
            self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except asyncio.CancelledError:
            pass  # it is closed
        except BaseException as error:
            if self._listening.done():
                raise
            self._listening.set_exception(error)  # start() raises it

    async def _serve(self) -> None:
        self._loop, self._serving = asyncio.get_running_loop(), asyncio.current_task()
        async with contextlib.AsyncExitStack() as stack:
            addresses = {}
            if self._config.http is not None:
                listener = _http(self._config.http, self._checks, self._routes)
                addresses["http"] = await stack.enter_async_context(listener)
            if self._config.grpc is not None:
                self._opening = "grpc"
                listener = _grpc(self._config.grpc, self._checks)
                addresses["grpc"] = await stack.enter_async_context(listener)
            self._listening.set_result(addresses)
            await self._loop.create_future()  # until it is closed


@asynccontextmanager
async def _http(
    where: HealthListenerConfig, checks: HealthChecks, routes: Routes
) -> AsyncIterator[str]:
    from sk_supervisor._health.http import HttpResponder, health_routes

    responder = HttpResponder({**health_routes(checks), **routes})
    sock = _bound("http", where)
    server = await asyncio.start_server(responder.serve, sock=sock, backlog=_BACKLOG)
    try:
        yield _address(where.bind_host, sock.getsockname()[1])
    finally:
        server.close()
        responder.hang_up()
        await server.wait_closed()


@asynccontextmanager
async def _grpc(where: HealthListenerConfig, checks: HealthChecks) -> AsyncIterator[str]:
    from sk_supervisor._health.grpc import HealthServicer

    # gRPC does not report why it cannot bind, and writes to standard error: try to bind first.
    _bound("grpc", where).close()
    server = HealthServicer(checks).server()
    wanted = _address(where.bind_host, where.bind_port)
    try:
        port = server.add_insecure_port(wanted)
    except RuntimeError as fault:
        raise HealthBindError("grpc", wanted, "gRPC cannot bind it") from fault
    await server.start()
    try:
        yield _address(where.bind_host, port)
    finally:
        await server.stop(_GRACE_SECONDS)


def _bound(kind: str, where: HealthListenerConfig) -> socket.socket:
    host, port = where.bind_host, where.bind_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    dual = host == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, dualstack_ipv6=dual)
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise HealthBindError(kind, _address(host, port), reason) from fault


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
