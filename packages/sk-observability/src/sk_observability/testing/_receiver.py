"""The receiver itself: what it got, and how it behaves."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from sk_observability.testing._answers import ACCEPT, Answer
from sk_observability.testing._grpc_server import GrpcServer
from sk_observability.testing._http_server import HttpServer
from sk_observability.testing._telemetry import (
    ReceivedLog,
    ReceivedPoint,
    ReceivedSpan,
    logs_of,
    points_of,
    spans_of,
)


@dataclass(frozen=True, slots=True)
class ServerTls:
    """PEM files of a server; with `client_ca`, clients must show a certificate that it signed."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


class OtlpReceiver:
    """Receives spans, logs and metrics on a free port of the loopback interface, and keeps them.

    It serves from its making until `stop`, and again, on the same port, from `start`. How it
    answers may be changed at any time. All of it is safe in any thread.
    """

    def __init__(
        self,
        protocol: Literal["grpc", "http"] = "grpc",
        *,
        answer: Answer = ACCEPT,
        tls: ServerTls | None = None,
    ) -> None:
        self._protocol, self._tls, self._answer = protocol, tls, answer
        self._spans: list[ReceivedSpan] = []
        self._logs: list[ReceivedLog] = []
        self._points: list[ReceivedPoint] = []
        self._headers: list[Mapping[str, str]] = []
        self._changed = threading.Condition()
        self._turn = 0
        self._server: GrpcServer | HttpServer | None = None
        self._port = 0
        self.start()

    @property
    def endpoint(self) -> str:
        """Where it is, as an exporter's setting: `http://127.0.0.1:PORT`."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of an exporter that sends to it, without TLS."""
        return {"protocol": self._protocol, "endpoint": self.endpoint}

    @property
    def spans(self) -> tuple[ReceivedSpan, ...]:
        """The spans that it took, in order of arrival."""
        with self._changed:
            return tuple(self._spans)

    @property
    def logs(self) -> tuple[ReceivedLog, ...]:
        """The log records that it took, in order of arrival."""
        with self._changed:
            return tuple(self._logs)

    @property
    def points(self) -> tuple[ReceivedPoint, ...]:
        """The points of metrics that it took, in order of arrival."""
        with self._changed:
            return tuple(self._points)

    @property
    def headers(self) -> tuple[Mapping[str, str], ...]:
        """The headers of each request that has come, whatever it was answered."""
        with self._changed:
            return tuple(self._headers)

    def answer_with(self, answer: Answer) -> None:
        """Answer so from now on; what hangs is answered so as well."""
        with self._changed:
            self._answer = answer
            self._turn += 1
            self._changed.notify_all()

    def wait_until(self, condition: Callable[[Self], bool], seconds: float = 30.0) -> bool:
        """Wait until the receiver is in a state; whether it came to be, in this time."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), seconds)

    def start(self) -> None:
        """Serve, on the port of before."""
        tls = self._tls
        if self._protocol == "grpc":
            self._server = GrpcServer(self._port, self._handle, _credentials(tls) if tls else None)
        else:
            self._server = HttpServer(self._port, self._handle, _context(tls) if tls else None)
        self._port = self._server.port

    def stop(self) -> None:
        """Hang up on everyone, and be absent."""
        server, self._server = self._server, None
        with self._changed:
            self._turn += 1
            self._changed.notify_all()
        if server is not None:
            server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _handle(self, signal: str, request: Any, headers: Mapping[str, str]) -> tuple[Answer, Any]:
        with self._changed:
            self._headers.append(headers)
            self._changed.notify_all()
            answer = self._awaited_answer()
            if answer.refuses or answer.hangs:
                return Answer(refuses=True, transient=True) if answer.hangs else answer, None
            return answer, self._take(signal, request, answer.rejects)

    def _awaited_answer(self) -> Answer:
        """Wait as the answer says. One that hangs ends with another answer, or with the server."""
        while True:
            answer = self._answer
            otherwise = self._is_told_otherwise(None if answer.hangs else answer.seconds)
            if not otherwise or self._server is None:
                return answer

    def _is_told_otherwise(self, seconds: float | None) -> bool:
        turn = self._turn
        return self._changed.wait_for(lambda: self._turn != turn, seconds)

    def _take(self, signal: str, request: Any, rejects: int) -> Any:
        if signal == "spans":
            spans = list(spans_of(request))
            self._spans += spans[: len(spans) - rejects]
            response: Any = ExportTraceServiceResponse()
            if rejects:
                response.partial_success.rejected_spans = rejects
        elif signal == "metrics":
            points = list(points_of(request))
            self._points += points[: len(points) - rejects]
            response = ExportMetricsServiceResponse()
            if rejects:
                response.partial_success.rejected_data_points = rejects
        else:
            logs = list(logs_of(request))
            self._logs += logs[: len(logs) - rejects]
            response = ExportLogsServiceResponse()
            if rejects:
                response.partial_success.rejected_log_records = rejects
        self._changed.notify_all()
        return response


def _credentials(tls: ServerTls) -> grpc.ServerCredentials:
    pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
    ca = tls.client_ca.read_bytes() if tls.client_ca else None
    return grpc.ssl_server_credentials([pair], ca, require_client_auth=ca is not None)


def _context(tls: ServerTls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)
    if tls.client_ca:
        context.load_verify_locations(tls.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
