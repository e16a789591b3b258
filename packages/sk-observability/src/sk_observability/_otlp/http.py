"""OTLP over HTTP. Imported only when there is something to send."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import requests
from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.http import Compression

from sk_observability._metrics.metric import Signal
from sk_observability._otlp.heard import Heard
from sk_observability._otlp.sender import Connector
from sk_observability._otlp.settings import OtlpSettings, split_endpoint

_PATHS: Final[Mapping[Signal, str]] = {
    "spans": "/v1/traces",
    "logs": "/v1/logs",
    "metrics": "/v1/metrics",
}
"""The URL path of each signal, below the endpoint; see OpenTelemetry's protocol."""
_NOT_ACCEPTED: Final = 300
"""The lowest status that is a failure: redirections too, which the exporter takes for a success."""


class _Session(requests.Session):
    """A session that records each answer; `parse` parses the service's response."""

    def __init__(self, heard: Heard, parse: Callable[[bytes], Any]) -> None:
        super().__init__()
        self._heard, self._parse = heard, parse

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """Send one request; see the base class."""
        # Passed with each request: else REQUESTS_CA_BUNDLE would override the configured file.
        if isinstance(self.verify, str):
            options["verify"] = self.verify
        self._heard.begin()
        try:
            response = super().request(*args, **options)
        except requests.RequestException as error:
            self._heard.failed(type(error).__name__)
            raise
        if response.status_code >= _NOT_ACCEPTED:
            self._heard.failed(f"HTTP {response.status_code}")
        else:
            # The status is a success: a body that is no protobuf message does not change that.
            with contextlib.suppress(DecodeError):
                self._heard.accepted(self._parse(response.content).partial_success)
        return response


def connector(signal: Signal, settings: OtlpSettings, heard: Heard) -> Connector:
    """Return a maker of exporters of this signal, which record each answer in `heard`."""
    exporter, parse = _exporter_of(signal)
    options = _options(settings, _PATHS[signal])
    return lambda: exporter(session=_Session(heard, parse), **options)


def _exporter_of(signal: Signal) -> tuple[Any, Callable[[bytes], Any]]:
    """Return the exporter's class and the parser of its response.

    Each signal is imported separately: most processes send only spans.
    """
    if signal == "spans":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

        return OTLPSpanExporter, traces.ExportTraceServiceResponse.FromString
    if signal == "logs":
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs

        return OTLPLogExporter, logs.ExportLogsServiceResponse.FromString
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics

    return OTLPMetricExporter, metrics.ExportMetricsServiceResponse.FromString


def _options(settings: OtlpSettings, path: str) -> dict[str, Any]:
    endpoint = settings.endpoint
    if endpoint is not None and split_endpoint(endpoint).path.strip("/") == "":
        endpoint = endpoint.rstrip("/") + path
    return {
        "endpoint": endpoint,
        "certificate_file": settings.tls.ca_file,
        "client_key_file": settings.tls.client_key_file,
        "client_certificate_file": settings.tls.client_certificate_file,
        "headers": settings.headers,
        "timeout": settings.timeout_seconds,
        "compression": Compression(settings.compression) if settings.compression else None,
    }
