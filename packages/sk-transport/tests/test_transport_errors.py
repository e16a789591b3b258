"""The error tree: typed, stable, told in words, and silent about secrets."""

from __future__ import annotations

import base64
import copy
import inspect
import io
import logging
import pickle
import socket
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
import sk_transport
from sk_transport import (
    Channel,
    FrameDecoder,
    FrameKind,
    FrameLimits,
    KeyMaterial,
    ReplayGuard,
    Secret,
    SecureTcpTransport,
    Signer,
    TransportError,
    Verifier,
    errors,
)

CATEGORIES = {
    "AcceptError": "accept",
    "BindError": "bind",
    "ChannelClosedError": "closed",
    "ConnectError": "connect",
    "DeadlineError": "timeout",
    "ExpiredFrameError": "expired",
    "FrameTooShortError": "malformed",
    "HandshakeFailedError": "handshake",
    "HeaderOverrunError": "malformed",
    "InvalidSettingError": "setting",
    "InvalidSignatureError": "signature",
    "KeyDerivationError": "secret",
    "MalformedHandshakeError": "handshake",
    "OversizeFrameError": "oversize",
    "OversizeHeaderError": "oversize",
    "ReplayGuardFullError": "replay_guard_full",
    "ReplayedNonceError": "replay",
    "SecretExposureError": "secret",
    "TruncatedFrameError": "truncated",
    "UnexpectedKindError": "kind",
    "UnknownPeerError": "identity",
    "UnsupportedKindError": "kind",
    "UnsupportedVersionError": "version",
    "UnusableSecretError": "secret",
    "WaitingRoomFullError": "overload",
}


def concrete(root: type[TransportError] = TransportError) -> Iterator[type[TransportError]]:
    for child in root.__subclasses__():
        yield from concrete(child) if child.__subclasses__() else [child]


def example(kind: type[TransportError]) -> TransportError:
    """An instance with a value of the right type in every field."""
    values = {"int": 7, "int | None": 7, "float": 1.5, "str": "name", "object": "name"}
    between = [base for base in kind.__mro__ if issubclass(base, TransportError)][:-1]
    fields = [said for base in reversed(between) for said in inspect.get_annotations(base).values()]
    return kind(*(values[str(said)] for said in fields))


every_error = pytest.mark.parametrize("kind", list(concrete()), ids=lambda kind: kind.__name__)


def test_the_categories_are_the_documented_ones() -> None:
    assert {kind.__name__: kind.category for kind in concrete()} == CATEGORIES


@every_error
def test_a_message_is_built_from_all_the_fields(kind: type[TransportError]) -> None:
    error = example(kind)
    assert all(f"{{{field}" in kind.says for field in vars(error))
    assert "{" not in str(error)


@every_error
def test_an_error_survives_pickle_and_copy(kind: type[TransportError]) -> None:
    error = example(kind)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301
        assert (type(twin), vars(twin), str(twin)) == (kind, vars(error), str(error))


@every_error
def test_an_error_made_with_keywords_is_the_same(kind: type[TransportError]) -> None:
    error = example(kind)
    twin = pickle.loads(pickle.dumps(kind(**vars(error))))  # noqa: S301
    assert twin.args == error.args


@pytest.mark.parametrize(
    ("given", "named"),
    [((), {}), ((1, 2, 3), {}), ((1,), {"size": 1}), ((1, 2), {"limits": 1})],
    ids=["one lacks", "too many", "twice", "unknown"],
)
def test_an_error_takes_each_of_its_fields_once(given: Any, named: dict[str, Any]) -> None:
    assert errors.OversizeFrameError(1, limit=2).args == (1, 2)
    with pytest.raises(TypeError, match="OversizeFrameError"):
        errors.OversizeFrameError(*given, **named)


def test_every_error_of_the_package_is_a_public_name() -> None:
    of_module = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    named = {name for name in of_module if vars(errors)[name].__module__ == errors.__name__}
    assert named <= set(sk_transport.__all__)


# ---- no secret anywhere --------------------------------------------------------------------------

PLAIN = b"correct-horse-battery-staple-42!"
CHANNEL = Channel("run-1", "a", "b")


def verify(key: Secret, *, age_ns: int = 0, copies: int = 1, capacity: int = 9) -> None:
    signer = Signer(CHANNEL, Secret(PLAIN), clock=lambda: 10**12 - age_ns)
    guard = ReplayGuard(ttl_seconds=30, capacity=capacity)
    verifier = Verifier(CHANNEL, key, ttl_seconds=30, guard=guard, clock=lambda: 10**12)
    decoder = FrameDecoder(FrameLimits())
    prefix, payload = signer.seal(FrameKind.BATCH, PLAIN, PLAIN)
    for _ in range(copies):
        [frame] = decoder.feed(prefix + bytes(payload))
        verifier.verify(frame)
    prefix, payload = signer.seal(FrameKind.BATCH, b"")
    verifier.verify(*decoder.feed(prefix))


def derive(*labels: str) -> None:
    KeyMaterial.static(Secret(PLAIN), warn=False).derive(*labels)


def connect(host: str, port: int) -> None:
    SecureTcpTransport(session="run-1", identity="a").connect(
        (host, port), server="b", keys=Secret(PLAIN), timeout=0
    )


def connect_to_a_silent_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connect(*silent.getsockname())


FAILURES: list[Callable[[], object]] = [
    lambda: verify(Secret(b"another")),
    lambda: verify(Secret(PLAIN), age_ns=10**11),
    lambda: verify(Secret(PLAIN), copies=2),
    lambda: verify(Secret(PLAIN), capacity=1),
    lambda: derive(),
    lambda: derive("\ud800"),
    lambda: Secret(bytearray(PLAIN)),  # type: ignore[arg-type]
    lambda: pickle.dumps(Secret(PLAIN)),
    lambda: Signer(CHANNEL, Secret(PLAIN), nonces=lambda: b"").seal(FrameKind.ACK, b""),
    lambda: Signer(CHANNEL, Secret(PLAIN)).seal(FrameKind.ACK, PLAIN * 3_000),
    lambda: FrameDecoder(FrameLimits()).feed(PLAIN),
    lambda: connect("10.0.0.1", 80),
    lambda: connect("127.0.0.1", 0),
    connect_to_a_silent_server,
]


@pytest.mark.contract("SEC-IPC-08", "KEY-IPC-04", "IPC-INT-08")
@pytest.mark.parametrize("fail", FAILURES)
def test_no_failure_shows_a_secret_or_a_payload_in_its_error_or_a_log(
    fail: Callable[[], object],
) -> None:
    stream = io.StringIO()
    logger = logging.Logger("diagnostics")
    logger.addHandler(logging.StreamHandler(stream))
    with pytest.raises(TransportError) as caught:
        fail()
    error = caught.value
    logger.error("failed: %s %r %s", error, error, vars(error), exc_info=error)
    stream.write(repr(error.args) + "".join(traceback.format_exception(error)))
    for form in (PLAIN.decode(), PLAIN.hex(), base64.b64encode(PLAIN).decode(), repr(PLAIN)[2:-1]):
        assert form not in stream.getvalue()


@pytest.mark.contract("SEC-IPC-08", "KEY-IPC-04", "IPC-INT-08")
def test_a_traceback_with_its_local_variables_shows_no_secret() -> None:
    """As rich and crash reporters print them: every local of every frame of this package."""
    signer = Signer(CHANNEL, KeyMaterial.static(Secret(PLAIN), warn=False).derive("a", kdf="none"))
    with pytest.raises(TransportError) as caught:
        signer.seal(FrameKind.BATCH, bytes(70_000))
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    inside = [frame for frame in shown.stack if "sk_transport" in frame.filename]
    assert inside
    assert PLAIN.decode() not in "".join(str(frame.locals) for frame in inside)


# ---- nothing foreign -----------------------------------------------------------------------------


def test_the_systems_errors_come_out_as_ours_with_their_words(
    stack: ExitStack, pool: ThreadPoolExecutor
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    with pytest.raises(TransportError) as caught:
        connect(*address)
    assert caught.value.category in {"connect", "timeout"}
    assert caught.value.__cause__ is None

    taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    transport = SecureTcpTransport(session="run-1", identity="b")
    with pytest.raises(TransportError) as caught:
        transport.listen(lambda _: None, port=taken.getsockname()[1])
    assert "in use" in str(caught.value)
    assert not isinstance(caught.value, OSError)
