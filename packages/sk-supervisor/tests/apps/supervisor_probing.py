"""Clients of the health listeners, and listeners without a run behind them."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace
from sk_config import HealthConfig, HealthListenerConfig
from sk_kernel import GroupStatus, RunStatus, WorkerStatus
from sk_supervisor._health.checks import HealthChecks
from sk_supervisor._health.server import health_server

PATIENCE = 30.0


class Scene:
    """A run that is as a test says it is."""

    def __init__(self) -> None:
        worker = WorkerStatus(worker_id="w", pid=1, os_pid=1, alive=True, ready=True, state="ready")
        self.status = RunStatus(
            run_id="r",
            scenario="s",
            profile="p",
            state="running",
            ready=True,
            started=True,
            age_seconds=1.0,
            groups=(GroupStatus(name="only", state="running", workers=(worker,)),),
        )

    def stop(self) -> None:
        """It is asked to stop."""
        self.status = replace(self.status, ready=False, stop_reasons=("SIGTERM",))

    def checks(self) -> HealthChecks:
        """Its probes."""
        return HealthChecks(lambda: self.status, ["only"], None)


@contextlib.contextmanager
def listening(scene: Scene, *kinds: str, **where: Any) -> Iterator[dict[str, str]]:
    """Listeners for the scene, by default of both kinds; gives their addresses."""
    http, grpc = (
        HealthListenerConfig(**where) if not kinds or kind in kinds else None
        for kind in ("http", "grpc")
    )
    with health_server(HealthConfig(http=http, grpc=grpc), scene.checks()) as addresses:
        yield addresses


def endpoint(address: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT`` or ``[HOST]:PORT``."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


class Answer:
    """An answer to an HTTP probe."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.raw = response.status, response.headers, response.read()

    @property
    def body(self) -> Any:
        """What its JSON says."""
        return json.loads(self.raw)


def probe(address: str, path: str, method: str = "GET", body: bytes | None = None) -> Answer:
    """Ask over HTTP, by a real client."""
    connection = http.client.HTTPConnection(*endpoint(address), timeout=PATIENCE)
    try:
        connection.request(method, path, body)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def dialled(address: str) -> socket.socket:
    """A connection that has said nothing yet."""
    return socket.create_connection(endpoint(address), timeout=PATIENCE)


def rest_of(link: socket.socket) -> bytes:
    """What comes until the other side hangs up, by whatever means."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while chunk := link.recv(65536):
            received += chunk
    return received


def health_threads() -> list[threading.Thread]:
    """The threads of listeners in this process."""
    return [thread for thread in threading.enumerate() if thread.name == "health"]
