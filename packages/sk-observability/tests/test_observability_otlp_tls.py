"""OTLP over TLS, with an authority of the tests' own."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sk_kernel import NodeSpan
from sk_observability import ExporterCounts, build_span_exporters
from sk_observability.testing import OtlpReceiver, ServerTls

BOTH = pytest.mark.parametrize("protocol", ["grpc", "http"])


class Pki(NamedTuple):
    """Files in PEM: an authority, a server's pair and a client's."""

    ca: Path
    server: tuple[Path, Path]
    client: tuple[Path, Path]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """An authority for this module."""
    folder = tmp_path_factory.mktemp("pki")
    key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("ca", key, "ca", key)
    ca = _written(folder / "ca.pem", authority.public_bytes(serialization.Encoding.PEM))
    pairs = [_pair(folder, name, key) for name in ("server", "client")]
    return Pki(ca, *pairs)


@BOTH
def test_spans_go_to_a_receiver_that_the_given_authority_vouches_for(
    protocol: Any, pki: Pki, span: Callable[..., NodeSpan]
) -> None:
    with OtlpReceiver(protocol, tls=ServerTls(*pki.server)) as receiver:
        assert receiver.endpoint.startswith("https://")
        counts = _sent(receiver, span(1), {"ca_file": str(pki.ca)})
    assert counts == ExporterCounts("otel_otlp", created=1, exported=1)


@BOTH
def test_nothing_goes_to_a_receiver_that_nobody_vouches_for(
    protocol: Any, pki: Pki, span: Callable[..., NodeSpan]
) -> None:
    with OtlpReceiver(protocol, tls=ServerTls(*pki.server)) as receiver:
        counts = _sent(receiver, span(1), {}, timeout_seconds=0.5)
        assert receiver.headers == ()
    assert (counts.exported, sum(counts.dropped.values())) == (0, 1)


@BOTH
def test_a_client_shows_its_certificate_where_one_is_asked_for(
    protocol: Any, pki: Pki, span: Callable[..., NodeSpan]
) -> None:
    certificate, key = map(str, pki.client)
    shown = {"client_certificate_file": certificate, "client_key_file": key}
    with OtlpReceiver(protocol, tls=ServerTls(*pki.server, client_ca=pki.ca)) as receiver:
        known = _sent(receiver, span(1), {"ca_file": str(pki.ca), **shown})
        unknown = _sent(receiver, span(2), {"ca_file": str(pki.ca)}, timeout_seconds=0.5)
        assert [got.attributes["sequence"] for got in receiver.spans] == [1]
    assert (known.exported, unknown.exported) == (1, 0)


def _sent(
    receiver: OtlpReceiver, span: NodeSpan, tls: dict[str, str], **settings: Any
) -> ExporterCounts:
    told = {**receiver.settings, "tls": tls, "shutdown_timeout_seconds": 30, **settings}
    [outlet] = build_span_exporters([("otel_otlp", told)])
    outlet.export([span])
    outlet.close()
    return outlet.counts


def _pair(folder: Path, name: str, ca_key: ec.EllipticCurvePrivateKey) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(name, key, "ca", ca_key)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    return _written(folder / f"{name}.pem", public), _written(folder / f"{name}.key", private)


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    is_ca = name == issuer
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(  # with which Python 3.13 verifies, strictly
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .sign(issuer_key, hashes.SHA256())
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
