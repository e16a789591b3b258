"""The OTLP receiver: keeps the received items, and answers as configured."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Final, Literal, Self

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from sk_observability.testing._answers import ACCEPT, Answer
from sk_observability.testing._grpc_server import GrpcServer
from sk_observability.testing._http_server import HttpServer
from sk_observability.testing._received import (
    ReceivedLog,
    ReceivedPoint,
    ReceivedSpan,
    logs_of,
    points_of,
    spans_of,
)
from sk_observability.testing._server_tls import ServerTls, grpc_credentials, ssl_context

_SIGNALS: Final[Mapping[str, tuple[Callable[[Any], Iterable[Any]], Callable[[], Any], str]]] = {
    "spans": (spans_of, ExportTraceServiceResponse, "rejected_spans"),
    "logs": (logs_of, ExportLogsServiceResponse, "rejected_log_records"),
    "metrics": (points_of, ExportMetricsServiceResponse, "rejected_data_points"),
}
"""By signal: the reader of its requests, the response, and the response's field for rejections."""


class OtlpReceiver:
    """Receives spans, logs and metrics on a free port of the loopback interface, and keeps them.

    It serves as soon as it is made, until `stop`; and again, on the same port, after `start`. The
    answer may be changed at any time. All methods may be called from any thread.
    """

    def __init__(
        self,
        protocol: Literal["grpc", "http"] = "grpc",
        *,
        answer: Answer = ACCEPT,
        tls: ServerTls | None = None,
    ) -> None:
        self._protocol, self._tls, self._answer = protocol, tls, answer
        self._taken: dict[str, list[Any]] = {signal: [] for signal in _SIGNALS}
        self._headers: list[Mapping[str, str]] = []
        self._changed = threading.Condition()
        self._turn = 0
        self._server: GrpcServer | HttpServer | None = None
        self._port = 0
        self.start()

    @property
    def endpoint(self) -> str:
        """The endpoint for an exporter's settings: `http://127.0.0.1:PORT`, with TLS `https`."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of an exporter that sends to this receiver, except those of TLS."""
        return {"protocol": self._protocol, "endpoint": self.endpoint}

    @property
    def spans(self) -> tuple[ReceivedSpan, ...]:
        """The accepted spans, in order of arrival."""
        with self._changed:
            return tuple(self._taken["spans"])

    @property
    def logs(self) -> tuple[ReceivedLog, ...]:
        """The accepted log records, in order of arrival."""
        with self._changed:
            return tuple(self._taken["logs"])

    @property
    def points(self) -> tuple[ReceivedPoint, ...]:
        """The accepted metric points, in order of arrival."""
        with self._changed:
            return tuple(self._taken["metrics"])

    @property
    def headers(self) -> tuple[Mapping[str, str], ...]:
        """The headers of each request, with names in lower case, accepted or not."""
        with self._changed:
            return tuple(self._headers)

    def answer_with(self, answer: Answer) -> None:
        """Use this answer from now on, also for requests that are waiting for an answer."""
        with self._changed:
            self._answer = answer
            self._turn += 1
            self._changed.notify_all()

    def wait_until(self, condition: Callable[[Self], bool], seconds: float = 30.0) -> bool:
        """Wait until the condition holds, at most this long; return whether it holds."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), seconds)

    def start(self) -> None:
        """Start to serve, on the same port as before."""
        tls = self._tls
        if self._protocol == "grpc":
            self._server = GrpcServer(
                self._port, self._handle, grpc_credentials(tls) if tls else None
            )
        else:
            self._server = HttpServer(self._port, self._handle, ssl_context(tls) if tls else None)
        self._port = self._server.port

    def stop(self) -> None:
        """Close all connections, and accept none until `start`."""
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
        """Wait as the answer requires; a hanging answer ends with a new answer or with `stop`."""
        while True:
            answer = self._answer
            otherwise = self._is_told_otherwise(None if answer.hangs else answer.seconds)
            if not otherwise or self._server is None:
                return answer

    def _is_told_otherwise(self, seconds: float | None) -> bool:
        turn = self._turn
        return self._changed.wait_for(lambda: self._turn != turn, seconds)

    def _take(self, signal: str, request: Any, rejects: int) -> Any:
        items_of, response_of, rejected = _SIGNALS[signal]
        items = list(items_of(request))
        rejects = min(rejects, len(items))
        self._taken[signal] += items[: len(items) - rejects]
        response = response_of()
        if rejects:
            setattr(response.partial_success, rejected, rejects)
        self._changed.notify_all()
        return response
