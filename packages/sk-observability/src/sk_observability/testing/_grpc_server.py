"""The receiver's gRPC side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_grpc

from sk_observability.testing._answers import Answer

Handle = Callable[[str, Any, Mapping[str, str]], tuple[Answer, Any]]
"""Takes a signal, its request and its headers; returns the answer and the response."""

_THREADS: Final = 16


class _Service:
    """The implementation of each service, which has a single method."""

    def __init__(self, signal: str, handle: Handle) -> None:
        self._signal, self._handle = signal, handle

    def Export(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Answer a request."""
        headers = {k: v for k, v in context.invocation_metadata() if isinstance(v, str)}
        answer, response = self._handle(self._signal, request, headers)
        if answer.refuses:
            status = grpc.StatusCode
            code = status.UNAVAILABLE if answer.transient else status.PERMISSION_DENIED
            context.abort(code, "refused, as told")
        return response


class GrpcServer:
    """Serves traces, logs and metrics on a port of the loopback interface."""

    def __init__(self, port: int, handle: Handle, tls: grpc.ServerCredentials | None) -> None:
        self._pool = ThreadPoolExecutor(_THREADS)
        self._server = grpc.server(self._pool, options=[("grpc.so_reuseport", 0)])
        # Generated code has no types.
        add_traces: Any = trace_grpc.add_TraceServiceServicer_to_server
        add_logs: Any = logs_grpc.add_LogsServiceServicer_to_server
        add_metrics: Any = metrics_grpc.add_MetricsServiceServicer_to_server
        add_metrics(_Service("metrics", handle), self._server)
        add_traces(_Service("spans", handle), self._server)
        add_logs(_Service("logs", handle), self._server)
        address = f"127.0.0.1:{port}"
        if tls is None:
            self.port = self._server.add_insecure_port(address)
        else:
            self.port = self._server.add_secure_port(address, tls)
        self._server.start()

    def stop(self) -> None:
        """Close all connections, and wait until the port is free."""
        self._server.stop(None).wait()
        self._pool.shutdown()
