"""The settings of the OTLP kinds, common to spans, metrics and events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from sk_observability._exporting.checks import (
    Problem,
    Table,
    check_settings,
    flag,
    one_of,
    readable_file,
    scalars,
    seconds,
    text,
    texts,
    whole,
)
from sk_observability._exporting.exporter import Settings
from sk_observability.errors import ExporterFault


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """How a connection is secured. Without `ca_file`, the default certificate authorities apply."""

    insecure: bool = False
    ca_file: str | None = None
    client_certificate_file: str | None = None
    client_key_file: str | None = None


class Batching(msgspec.Struct, frozen=True, kw_only=True):
    """The sizes of queue and batch in items, and how long a batch's first item waits."""

    max_queue_size: int = 32_768
    max_batch_size: int = 1024
    schedule_delay_seconds: float = 1.0


class OtlpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings that passed `check_otlp`. For None the `OTEL_EXPORTER_OTLP_*` variables apply.

    `timeout_seconds` bounds the sending of one batch, retries included; `shutdown_timeout_seconds`
    the sending of all remaining items at the end.
    """

    protocol: str = "grpc"
    endpoint: str | None = None
    headers: dict[str, str] | None = None
    timeout_seconds: float | None = None
    compression: str | None = None
    tls: Tls = Tls()
    batch: Batching = Batching()
    shutdown_timeout_seconds: float = 5.0
    service_name: str | None = None
    resource: dict[str, str | bool | int | float] = {}


_FILES: Final = ("ca_file", "client_certificate_file", "client_key_file")
_IS_HEADER: Final = re.compile(r"[a-z0-9_.-]+", re.IGNORECASE).fullmatch
_ENDPOINT: Final = "a URL of http or https, or, for grpc, host:port; no user, and for grpc no path"


def check_otlp(settings: Settings) -> Iterator[ExporterFault]:
    """Yield every fault of the settings."""
    faults = list(check_settings(settings, _TABLE))
    yield from faults
    if not faults:
        yield from _contradictions(msgspec.convert(settings, OtlpSettings))


def read_otlp(settings: Settings) -> OtlpSettings:
    """Return checked settings as a struct."""
    return msgspec.convert(settings, OtlpSettings)


def split_endpoint(endpoint: str) -> SplitResult:
    """Return the parts of a URL, or of host:port (with an empty scheme)."""
    return urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")


def _endpoint(value: object) -> Problem | None:
    if not isinstance(value, str):
        return "wrong_type", _ENDPOINT, type(value).__name__
    try:
        parts = split_endpoint(value)
        plain = value.isascii() and value.isprintable() and " " not in value
        fine = bool(parts.hostname) and parts.port != 0 and plain
    except ValueError:  # a port that is no number, brackets that do not match
        return "bad_value", _ENDPOINT, "what is no URL"
    if parts.username is not None or parts.password is not None:
        return "bad_value", _ENDPOINT, "one with a user: secrets belong in the headers"
    if not fine or parts.scheme not in ("", "http", "https"):
        return "bad_value", _ENDPOINT, "another URL"
    return None


def _contradictions(settings: OtlpSettings) -> Iterator[ExporterFault]:
    """Yield the contradictions between settings that are each valid."""
    tls, batch = settings.tls, settings.batch
    scheme = split_endpoint(settings.endpoint).scheme if settings.endpoint else None
    if settings.endpoint:
        parts = split_endpoint(settings.endpoint)
        if settings.protocol == "http" and not parts.scheme:
            yield ExporterFault("endpoint", "bad_value", _ENDPOINT, "no URL, for http")
        if settings.protocol == "grpc" and (parts.path.strip("/") or parts.query):
            yield ExporterFault("endpoint", "bad_value", _ENDPOINT, "a path, for grpc")
    if settings.protocol == "grpc" and settings.compression == "deflate":
        yield ExporterFault("compression", "bad_value", "none or gzip, for grpc", "deflate")
    if tls.insecure and scheme in ("https", "http"):
        where = "only an endpoint without a scheme: http and https say it themselves"
        yield ExporterFault("tls.insecure", "bad_value", where, f"one of {scheme}")
    files = [name for name in _FILES if getattr(tls, name)]
    if files and (scheme == "http" or tls.insecure):
        secured = "an endpoint that is secured, for these files"
        yield ExporterFault(f"tls.{files[0]}", "bad_value", secured, "one that is not")
    if bool(tls.client_certificate_file) != bool(tls.client_key_file):
        lacking = "client_key_file" if tls.client_certificate_file else "client_certificate_file"
        yield ExporterFault(f"tls.{lacking}", "missing", "both or none of the two", "one of them")
    if batch.max_batch_size > batch.max_queue_size:
        most = "at most batch.max_queue_size"
        yield ExporterFault("batch.max_batch_size", "bad_value", most, "more than that")


_TLS: Final[Table] = {"insecure": flag, **dict.fromkeys(_FILES, readable_file)}
_BATCH: Final[Table] = {
    "max_queue_size": whole(1, 10_000_000),
    "max_batch_size": whole(1, 100_000),
    "schedule_delay_seconds": seconds(3600),
}
_TABLE: Final[Table] = {
    "protocol": one_of("grpc", "http"),
    "endpoint": _endpoint,
    "headers": texts("a mapping of header names to texts", lambda name: bool(_IS_HEADER(name))),
    "timeout_seconds": seconds(3600),
    "compression": one_of("none", "gzip", "deflate"),
    "tls": _TLS,
    "batch": _BATCH,
    "shutdown_timeout_seconds": seconds(60),
    "service_name": text("a name"),
    "resource": scalars,
}
