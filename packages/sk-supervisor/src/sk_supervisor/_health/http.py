"""HTTP for probes and scrapes: a table of paths, and strict limits on clients.

A connection carries one request, and has five seconds in all and 8 KiB for the request's head. If
too many are open the oldest is closed: idle and slow clients cannot lock out others.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias, cast

import h11
from msgspec import Struct

from sk_supervisor._health.checks import HealthChecks
from sk_supervisor._health.results import Probe, ProbeResult

_METHODS = (b"GET", b"HEAD")
_CHUNK = 4096


class Page(Struct, frozen=True):
    """The response of a path."""

    status: HTTPStatus
    body: bytes
    content_type: str = "application/json"


class HttpLimits(Struct, frozen=True):
    """The limits on clients: open connections, and time and size of each."""

    connections: int = 64
    seconds: float = 5.0
    """The time limit of a connection, from its acceptance to its close."""
    head_bytes: int = 8192


Routes: TypeAlias = Mapping[str, Callable[[], Awaitable[Page]]]
"""The function that answers each path."""


def health_routes(checks: HealthChecks) -> Routes:
    """The routes ``/startupz``, ``/livez`` and ``/readyz``."""

    def route(probe: Probe) -> Callable[[], Awaitable[Page]]:
        async def answer() -> Page:
            return result_page(probe, await checks.check(probe))

        return answer

    return {f"/{probe}": route(probe) for probe in Probe}


def result_page(probe: Probe, result: ProbeResult) -> Page:
    """The response to a probe: 200 or 503, and the reason as JSON."""
    facts: dict[str, Any] = {"check": str(probe), "status": "ok" if result.ok else "unavailable"}
    if not result.ok:
        facts |= {"reason": result.reason, "missing": result.missing}
    status = HTTPStatus.OK if result.ok else HTTPStatus.SERVICE_UNAVAILABLE
    return Page(status, _json(facts))


def error_page(status: HTTPStatus) -> Page:
    """The response to a faulty request."""
    return Page(status, _json({"error": status.phrase.lower()}))


async def page_for(routes: Routes, method: bytes, target: bytes) -> Page:
    """The response to a request; a query after the path is ignored."""
    route = routes.get(target.partition(b"?")[0].decode("latin-1"))
    if route is None:
        return error_page(HTTPStatus.NOT_FOUND)
    if method not in _METHODS:
        return error_page(HTTPStatus.METHOD_NOT_ALLOWED)
    return await route()


class HttpResponder:
    """Serves the connections of one listener. For one event loop."""

    def __init__(self, routes: Routes, limits: HttpLimits | None = None) -> None:
        self._routes, self._limits = routes, limits or HttpLimits()
        self._open: dict[asyncio.Task[Any], None] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close the connection. Errors of the client are suppressed."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._open[task] = None
        if len(self._open) > self._limits.connections:
            oldest = next(iter(self._open))
            del self._open[oldest]
            oldest.cancel()
        try:
            # Too slow, disconnected, or displaced by a newer connection: only close it.
            with contextlib.suppress(TimeoutError, OSError, asyncio.CancelledError):
                async with asyncio.timeout(self._limits.seconds):
                    await self._converse(reader, writer)
        finally:
            self._open.pop(task, None)
            writer.transport.abort()

    def hang_up(self) -> None:
        """Close all connections."""
        for task in self._open:
            task.cancel()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = h11.Connection(h11.SERVER, max_incomplete_event_size=self._limits.head_bytes)
        request: h11.Request | None = None
        try:
            request = await _request(peer, reader)
            if request is None:
                return
            page = await page_for(self._routes, request.method, request.target)
        except h11.RemoteProtocolError as fault:
            page = error_page(HTTPStatus(fault.error_status_hint))
        _send(peer, writer, page, whole=request is None or request.method != b"HEAD")
        await writer.drain()
        if peer.their_state is not h11.DONE:
            # Closing with unread bytes sends a reset, which may arrive before the response is read.
            writer.write_eof()
            while await reader.read(_CHUNK):
                pass
        writer.close()
        await writer.wait_closed()


async def _request(peer: h11.Connection, reader: asyncio.StreamReader) -> h11.Request | None:
    """The head of the request; None if the client disconnects without one."""
    while True:
        event = peer.next_event()
        if isinstance(event, h11.Request):
            with contextlib.suppress(h11.RemoteProtocolError):
                peer.next_event()  # EndOfMessage, unless a body follows
            return event
        if isinstance(event, h11.ConnectionClosed):
            return None
        peer.receive_data(await reader.read(_CHUNK))


def _send(peer: h11.Connection, writer: asyncio.StreamWriter, page: Page, *, whole: bool) -> None:
    headers = [
        ("content-type", page.content_type),
        ("content-length", str(len(page.body))),
        ("cache-control", "no-store"),
        ("connection", "close"),
    ]
    if page.status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("allow", "GET, HEAD"))
    response = h11.Response(
        status_code=page.status.value, headers=headers, reason=page.status.phrase.encode()
    )
    body = [h11.Data(data=page.body)] if whole else []
    for event in (response, *body, h11.EndOfMessage()):
        writer.write(peer.send(event) or b"")


def _json(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts).encode() + b"\n"
