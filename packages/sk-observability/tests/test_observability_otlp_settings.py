"""What the settings of the OTLP kinds may be, and what is said of those that they may not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sk_kernel import NodeSpan
from sk_observability import ExporterFault, ExporterSetupError, check_exporters

HERE = "runtime.observability.tracing.exporters[0]"


def faults_of(settings: dict[str, Any], kind: str = "otel_otlp") -> list[tuple[str, str]]:
    """Path within the settings, and category."""
    faults = check_exporters(span=[(kind, settings)])
    return [(fault.path.removeprefix(f"{HERE}.settings."), fault.category) for fault in faults]


@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"endpoint": "https://collector.example:4317"},
        {"endpoint": "http://[::1]:4317/", "compression": "gzip"},
        {"headers": {"Authorization": "Bearer abc", "x-scope.org_id": "a b"}},
        {"timeout_seconds": 3, "shutdown_timeout_seconds": 0.5},
        {"batch": {"max_queue_size": 10, "max_batch_size": 10, "schedule_delay_seconds": 1}},
        {"service_name": "x", "resource": {"a": 1, "b": True, "c": 1.5, "d": "e"}},
        {"tls": {"ca_file": __file__}},
        {"tls": {"client_certificate_file": __file__, "client_key_file": __file__}},
    ],
)
def test_sound_settings_have_no_fault(protocol: str, settings: dict[str, Any]) -> None:
    assert faults_of({"protocol": protocol, **settings}) == []


def test_an_endpoint_of_grpc_needs_no_scheme_and_may_be_insecure() -> None:
    assert faults_of({"endpoint": "collector:4317", "tls": {"insecure": True}}) == []


@pytest.mark.parametrize(
    ("settings", "path", "category"),
    [
        ({"protocol": "udp"}, "protocol", "bad_value"),
        ({"protocol": None}, "protocol", "wrong_type"),
        ({"endpoint": 4317}, "endpoint", "wrong_type"),
        ({"endpoint": ""}, "endpoint", "bad_value"),
        ({"endpoint": "http://"}, "endpoint", "bad_value"),
        ({"endpoint": "http://host:port"}, "endpoint", "bad_value"),
        ({"endpoint": "http://host:0"}, "endpoint", "bad_value"),
        ({"endpoint": "http://[::1"}, "endpoint", "bad_value"),
        ({"endpoint": "http://a b"}, "endpoint", "bad_value"),
        ({"endpoint": "ftp://host"}, "endpoint", "bad_value"),
        ({"endpoint": "https://user:word@host"}, "endpoint", "bad_value"),
        ({"endpoint": "http://host/v1/traces"}, "endpoint", "bad_value"),
        ({"endpoint": "host:4318", "protocol": "http"}, "endpoint", "bad_value"),
        ({"headers": ["a"]}, "headers", "wrong_type"),
        ({"headers": {"a": 1}}, "headers", "wrong_type"),
        ({"headers": {"a b": "c"}}, "headers", "bad_value"),
        ({"headers": {"a": "b\r\nc: d"}}, "headers", "bad_value"),
        ({"headers": {"a": "ä"}}, "headers", "bad_value"),
        ({"timeout_seconds": 0}, "timeout_seconds", "bad_value"),
        ({"timeout_seconds": float("nan")}, "timeout_seconds", "bad_value"),
        ({"timeout_seconds": True}, "timeout_seconds", "wrong_type"),
        ({"shutdown_timeout_seconds": 61}, "shutdown_timeout_seconds", "bad_value"),
        ({"compression": "zstd"}, "compression", "bad_value"),
        ({"compression": "deflate"}, "compression", "bad_value"),
        ({"tls": True}, "tls", "wrong_type"),
        ({"tls": {"ca": "x"}}, "tls.ca", "unknown_key"),
        ({"tls": {"ca_file": "/none/such"}}, "tls.ca_file", "bad_value"),
        ({"tls": {"ca_file": 1}}, "tls.ca_file", "wrong_type"),
        ({"tls": {"client_key_file": __file__}}, "tls.client_certificate_file", "missing"),
        ({"tls": {"insecure": 1}}, "tls.insecure", "wrong_type"),
        ({"tls": {"insecure": True}, "endpoint": "https://x"}, "tls.insecure", "bad_value"),
        ({"tls": {"ca_file": __file__}, "endpoint": "http://x"}, "tls.ca_file", "bad_value"),
        ({"batch": {"max_queue_size": 0}}, "batch.max_queue_size", "bad_value"),
        ({"batch": {"max_queue_size": 1.5}}, "batch.max_queue_size", "wrong_type"),
        ({"batch": {"max_queue_size": 5}}, "batch.max_batch_size", "bad_value"),
        ({"service_name": ""}, "service_name", "bad_value"),
        ({"resource": {"a": ["b"]}}, "resource", "wrong_type"),
        ({"resource": "a=b"}, "resource", "wrong_type"),
        ({"resource": {"a": 2**63}}, "resource", "bad_value"),
        ({"resource": {"a": "\ud800"}}, "resource", "bad_value"),
        ({"resource": {"\ud800": 1}}, "resource", "bad_value"),
        ({"service_name": "\ud800"}, "service_name", "bad_value"),
        ({"timeout": 3}, "timeout", "unknown_key"),
    ],
)
def test_each_fault_is_named_with_its_path_and_category(
    settings: dict[str, Any], path: str, category: str
) -> None:
    assert faults_of(settings) == [(path, category)]


def test_all_faults_come_at_once() -> None:
    settings = {"protocol": "udp", "batch": {"max_queue_size": 0, "delay": 1}, "colour": 1}
    assert [path for path, _ in faults_of(settings)] == [
        "protocol",
        "batch.max_queue_size",
        "batch.delay",
        "colour",
    ]


def test_no_fault_shows_a_value() -> None:
    secret = "s3cr3t"  # noqa: S105
    settings = {
        "endpoint": f"https://{secret}:{secret}@host",
        "headers": {"authorization": 7, secret: f"{secret}\n"},
        "service_name": [secret],
        "compression": secret,
        "tls": {"ca_file": secret},
    }
    assert secret not in str(ExporterSetupError(check_exporters(span=[("otel_otlp", settings)])))


@pytest.mark.parametrize(
    ("kind", "module", "extra"),
    [
        ("otel_otlp", "opentelemetry.sdk", "otlp"),
        ("otel_otlp", "opentelemetry.exporter.otlp.proto.http", "otlp"),
        ("opentracing_bridge", "opentracing", "opentracing"),
    ],
)
def test_a_kind_whose_extra_is_not_installed_is_a_fault_that_names_it(
    monkeypatch: pytest.MonkeyPatch, kind: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as one that is not there
    [fault] = check_exporters(span=[(kind, {"never": "looked at"})])
    assert fault == ExporterFault(
        f"{HERE}.kind",
        "unavailable",
        f"a kind that is installed: pip install 'sk-observability[{extra}]'",
        f"'{kind}': what it needs is not installed",
    )


@pytest.mark.parametrize(
    ("code", "brings"),
    [
        ("build_span_exporters([('otel_otlp', {})])[0].export([])", set()),
        ("send('otel_otlp', {'timeout_seconds': 0.001})", {"opentelemetry", "grpc"}),
    ],
)
def test_a_process_imports_what_its_exporters_use_and_only_when_they_send(
    tmp_path: Path, code: str, brings: set[str], span: Callable[..., NodeSpan]
) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "import msgspec\n"
        "from sk_kernel import NodeSpan\n"
        "from sk_observability import *\n"
        f"span = msgspec.json.decode({_json(span(1))!r}, type=NodeSpan)\n"
        "def send(kind, settings):\n"
        "    [outlet] = build_span_exporters([(kind, settings)])\n"
        "    outlet.export([span])\n"
        "    outlet.close()\n"
        f"{code}\n"
        "found = {'opentelemetry.sdk', 'grpc', 'requests', 'opentracing'} & set(sys.modules)\n"
        "print(*(name.partition('.')[0] for name in found))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert set(done.stdout.split()) == brings
    assert done.stderr == ""


def _json(span: NodeSpan) -> bytes:
    import msgspec

    fields = {k: v for k, v in msgspec.structs.asdict(span).items() if k != "attributes"}
    return msgspec.json.encode(fields)
