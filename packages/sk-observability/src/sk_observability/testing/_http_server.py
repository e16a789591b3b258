"""The receiver's HTTP side."""

from __future__ import annotations

import gzip
import ssl
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sk_observability.testing._grpc_server import Handle

_PATHS: Final[dict[str, tuple[str, Any]]] = {
    "/v1/traces": ("spans", ExportTraceServiceRequest),
    "/v1/logs": ("logs", ExportLogsServiceRequest),
    "/v1/metrics": ("metrics", ExportMetricsServiceRequest),
}
_FORBIDDEN: Final = 403
_UNAVAILABLE: Final = 503
_NOT_FOUND: Final = 404


class HttpServer:
    """Serves traces, logs and metrics on a port of the loopback interface."""

    def __init__(self, port: int, handle: Handle, tls: ssl.SSLContext | None) -> None:
        handler = type("Handler", (_Handler,), {"handle_request": staticmethod(handle)})
        self._server = _Server(("127.0.0.1", port), handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Close all connections, and wait until the port is free."""
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, *args: Any) -> None:
        self._open: set[Any] = set()
        self._lock = threading.Lock()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close the connections that are still open, so that their handlers end."""
        with self._lock:
            left = list(self._open)
        for request in left:
            self.shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: tests close connections on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    handle_request: Handle

    def do_POST(self) -> None:
        """Answer a request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path not in _PATHS:
            return self._respond(_NOT_FOUND, b"")
        signal, message = _PATHS[self.path]
        request = message.FromString(_plain(body, self.headers.get("Content-Encoding", "")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer, response = self.handle_request(signal, request, headers)
        if answer.refuses:
            return self._respond(_UNAVAILABLE if answer.transient else _FORBIDDEN, b"")
        return self._respond(200, response.SerializeToString())

    def _respond(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Print nothing."""


def _plain(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(body)
    return zlib.decompress(body) if encoding == "deflate" else body
