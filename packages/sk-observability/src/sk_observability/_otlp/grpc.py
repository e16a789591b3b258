"""OTLP over gRPC. Imported only when there is something to send.

Making an exporter reads the files of `tls`, and raises OSError if one cannot be read any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import grpc
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

from sk_observability._metrics.metric import Signal
from sk_observability._otlp.heard import Heard
from sk_observability._otlp.sender import Connector
from sk_observability._otlp.settings import OtlpSettings, Tls

_COMPRESSION: Final = {"none": grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip}


class _Listening:
    """A mixin for an exporter: records each answer, also after its channel was made anew."""

    _client: Any

    def __init__(self, heard: Heard, **options: Any) -> None:
        self._heard = heard  # first: the base's __init__ opens the channel
        super().__init__(**options)

    def _initialize_channel_and_stub(self) -> None:
        super()._initialize_channel_and_stub()  # type: ignore[misc]
        self._client = _Stub(self._client, self._heard)


class _Stub:
    """Wraps a stub of the service and records its answers."""

    def __init__(self, stub: Any, heard: Heard) -> None:
        self._stub, self._heard = stub, heard

    def Export(self, request: Any, **options: Any) -> Any:  # noqa: N802 - the service's own name
        self._heard.begin()
        try:
            response = self._stub.Export(request, **options)
        except grpc.RpcError as error:
            self._heard.failed(error.code().name)
            raise
        self._heard.accepted(response.partial_success)
        return response


class _Spans(_Listening, OTLPSpanExporter):
    pass


class _Logs(_Listening, OTLPLogExporter):
    pass


class _Metrics(_Listening, OTLPMetricExporter):
    pass


_EXPORTERS: Final[Mapping[Signal, type[_Spans | _Logs | _Metrics]]] = {
    "spans": _Spans,
    "logs": _Logs,
    "metrics": _Metrics,
}


def connector(signal: Signal, settings: OtlpSettings, heard: Heard) -> Connector:
    """Return a maker of exporters of this signal, which record each answer in `heard`."""
    exporter = _EXPORTERS[signal]
    return lambda: exporter(heard, **_options(settings))


def _options(settings: OtlpSettings) -> dict[str, Any]:
    headers = settings.headers
    return {
        "endpoint": settings.endpoint,
        "insecure": True if settings.tls.insecure else None,
        "credentials": _credentials(settings.tls),
        "headers": tuple((k.lower(), v) for k, v in headers.items()) if headers else None,
        "timeout": settings.timeout_seconds,
        "compression": _COMPRESSION[settings.compression] if settings.compression else None,
    }


def _credentials(tls: Tls) -> grpc.ChannelCredentials | None:
    files = (tls.ca_file, tls.client_key_file, tls.client_certificate_file)
    if not any(files):
        return None
    return grpc.ssl_channel_credentials(*(Path(f).read_bytes() if f else None for f in files))
