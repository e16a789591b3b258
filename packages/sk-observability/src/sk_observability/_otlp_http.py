"""OTLP over HTTP. Imported where something is to be sent, and nowhere else.

What but one signal needs is imported with that: most processes send nothing but spans, and all that
they import is processor time of the run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Final

import requests
from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from sk_observability._otlp_heard import Connector, Heard
from sk_observability._otlp_settings import OtlpSettings, split_endpoint

_NOT_ACCEPTED: Final = 300
"""Statuses from here on: redirections are not followed, though the exporter takes them for fine."""


class _Session(requests.Session):
    """A session that is listened to; `parse` gives the response of the service."""

    def __init__(self, heard: Heard, parse: Callable[[bytes], Any]) -> None:
        super().__init__()
        self._heard, self._parse = heard, parse

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """Send one request; see the base."""
        # Said again with each request: else REQUESTS_CA_BUNDLE would win over what is configured.
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
            # What cannot be read is an acceptance in another form than it was asked in.
            with contextlib.suppress(DecodeError):
                self._heard.accepted(self._parse(response.content).partial_success)
        return response


def span_connector(settings: OtlpSettings, heard: Heard) -> Connector:
    """Give what makes exporters of spans."""
    options = _options(settings, "/v1/traces")
    parse = ExportTraceServiceResponse.FromString
    return lambda: OTLPSpanExporter(session=_Session(heard, parse), **options)


def log_connector(settings: OtlpSettings, heard: Heard) -> Connector:
    """Give what makes exporters of log records."""
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

    options = _options(settings, "/v1/logs")
    parse = ExportLogsServiceResponse.FromString
    return lambda: OTLPLogExporter(session=_Session(heard, parse), **options)


def metric_connector(settings: OtlpSettings, heard: Heard) -> Connector:
    """Give what makes exporters of metrics."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
        ExportMetricsServiceResponse,
    )

    options = _options(settings, "/v1/metrics")
    parse = ExportMetricsServiceResponse.FromString
    return lambda: OTLPMetricExporter(session=_Session(heard, parse), **options)


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
