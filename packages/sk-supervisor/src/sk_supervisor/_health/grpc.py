"""The gRPC health service (grpc.health.v1), with the same checks as over HTTP.

The services are ``startupz``, ``livez`` and ``readyz``; the empty name stands for ``readyz``. Unary
calls are handled as streams of one request, which is the same on the wire: so a caller who sends no
request occupies one of the concurrent calls for five seconds at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2 as pb

from sk_supervisor._health.checks import HealthChecks
from sk_supervisor._health.results import Probe

_SERVICE: Final = "grpc.health.v1.Health"
_PROBES: Final = {"": Probe.READY, **{str(probe): probe for probe in Probe}}
_STATUS: Final = pb.HealthCheckResponse
#: The polling interval of Watch, so the maximum delay of a change. (A loop that hangs can only be
#: found by polling; without watchers nothing is polled.)
_WATCH_SECONDS: Final = 0.25
_MAX_CALLS: Final = 256
_MAX_WATCHERS: Final = 64
_OPTIONS: Final = [
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 1024),
    ("grpc.max_metadata_size", 8192),
    ("grpc.max_concurrent_streams", 16),
    ("grpc.max_allowed_incoming_connections", 256),
    ("grpc.server_handshake_timeout_ms", 5_000),
    ("grpc.max_connection_idle_ms", 60_000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]


class HealthServicer:
    """The methods Check and Watch. For one event loop.

    :param patience: the seconds within which the request of a call must arrive.
    """

    def __init__(self, checks: HealthChecks, patience: float = 5.0) -> None:
        self._checks, self._patience = checks, patience
        self._watchers = 0

    def server(self) -> grpc.aio.Server:
        """A server with this service, not started yet."""
        server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=_MAX_CALLS)
        coding = (pb.HealthCheckRequest.FromString, _STATUS.SerializeToString)
        methods = {
            "Check": grpc.stream_unary_rpc_method_handler(self.check, *coding),
            "Watch": grpc.stream_stream_rpc_method_handler(self.watch, *coding),
        }
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(_SERVICE, methods)])
        return server

    async def check(self, requests: AsyncIterator[Any], context: Any) -> Any:
        """The current status; NOT_FOUND for an unknown service."""
        service = await self._service(requests, context)
        if service not in _PROBES:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return _STATUS(status=await self._status(service))

    async def watch(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        """Yield the current status, and each later one that differs from the last."""
        if self._watchers >= _MAX_WATCHERS:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many watchers")
        self._watchers += 1
        try:
            service, told = await self._service(requests, context), None
            while True:
                status = await self._status(service)
                if status != told:
                    yield _STATUS(status=status)
                    told = status
                await asyncio.sleep(_WATCH_SECONDS)
        finally:
            self._watchers -= 1

    async def _status(self, service: str) -> Any:
        probe = _PROBES.get(service)
        if probe is None:
            return _STATUS.SERVICE_UNKNOWN
        result = await self._checks.check(probe)
        return _STATUS.SERVING if result.ok else _STATUS.NOT_SERVING

    async def _service(self, requests: AsyncIterator[Any], context: Any) -> str:
        """The service named in the request of a call; aborts a call without a request."""
        try:
            async with asyncio.timeout(self._patience):
                async for request in requests:
                    return str(request.service)
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "no request came")
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a call without a request")
        raise AssertionError("abort has raised")
