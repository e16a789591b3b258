"""The corpus against the control port. The attacker has neither a token nor the session's id."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from attack_frames import flips, truncations
from attack_model import Attack, Ending, Port, Strike, any_of
from attacks_on_data import DAY_NS, HTTP2_PREFACE, HTTP_REQUEST, SIGNATURES, TLS_HELLO
from sk_control import ControlMessage, Failed, Hello, Ready, StartWork, Stop
from sk_control.testing import forge
from sk_transport import Secret

UNSIGNED = any_of("identity/wrong_session")
_PARSED = any_of(
    "malformed/undecodable",
    "malformed/bad_field",
    "malformed/unsigned_fields",
    "version/version_mismatch",
    "identity/wrong_session",
)
_ROOM = any_of("limit/evicted", "limit/hello_timeout", "RESOURCE_EXHAUSTED")


@dataclass
class ControlAttacker:
    """A local process that knows the protocol and the name of a worker, and has no key."""

    worker_id: str = "execution.ingress-0.1"
    session_id: str = "0" * 32
    key: Secret = field(default_factory=Secret.generate)

    def hello(self) -> Hello:
        """The hello of that worker."""
        return Hello((1,), self.worker_id, "execution.ingress", 0, 1, 1)

    def sealed(self, message: ControlMessage | None = None, **changes: Any) -> bytes:
        """A message signed with a key of its own, by default the hello."""
        names = {"session_id": self.session_id, "worker_id": self.worker_id}
        fields = {**names, "clock": time.monotonic_ns, **changes}
        return forge(message or self.hello(), self.key, **fields)


ControlAttack = Attack[ControlAttacker]


def _each(ends: frozenset[str], *data: bytes) -> Iterable[Strike]:
    return [Strike(raw, ends) for raw in data]


def _garbage(_: ControlAttacker) -> Iterable[Strike]:
    yield from _each(
        any_of("malformed/undecodable"), b"\xff" * 40, HTTP_REQUEST, TLS_HELLO, b"\x0b", b"\0"
    )
    yield from _each(any_of("malformed/bad_field"), b"")


def _truncated(attacker: ControlAttacker) -> Iterable[Strike]:
    # Cut between two fields it is a message without the later ones, and without a signature.
    yield from _each(_PARSED, *truncations(attacker.sealed()))


def _flipped(attacker: ControlAttacker) -> Iterable[Strike]:
    yield from _each(_PARSED, *(data for _, data in flips(attacker.sealed())))


def _versions(attacker: ControlAttacker) -> Iterable[Strike]:
    versions = [attacker.sealed(protocol_version=version) for version in (0, 2, 99, 2**32 - 1)]
    yield from _each(any_of("version/version_mismatch"), *versions)


def _directions(attacker: ControlAttacker) -> Iterable[Strike]:
    for message in (StartWork(), Stop(drain=False), Ready(), Failed("crash")):
        yield Strike(attacker.sealed(message), UNSIGNED)
    yield from _each(UNSIGNED, *(attacker.sealed(direction=way) for way in (0, 2, 3)))


def _replays(attacker: ControlAttacker) -> Iterable[Strike]:
    yield from repeat(Strike(attacker.sealed(), UNSIGNED), 20)


def _clocks(attacker: ControlAttacker) -> Iterable[Strike]:
    yield from _each(
        UNSIGNED, *(attacker.sealed(time_ns=time_ns) for time_ns in (0, DAY_NS, 2**63, 2**64 - 1))
    )


def _signatures(attacker: ControlAttacker) -> Iterable[Strike]:
    yield from _each(
        UNSIGNED, *(attacker.sealed(signature=s) for s in (b"", b"x", bytes(1000), *SIGNATURES))
    )


def _nonces(attacker: ControlAttacker) -> Iterable[Strike]:
    yield from _each(
        any_of("malformed/bad_field"),
        *(attacker.sealed(nonce=nonce) for nonce in (b"", b"x", bytes(15), bytes(17))),
    )


def _unknown_fields(attacker: ControlAttacker) -> Iterable[Strike]:
    ends = any_of("malformed/unsigned_fields")
    for more in (b"\xf8\x07\x01", b"\xfa\x07\x03abc", b"\xfd\x07abcd", b"\xfb\x07\xfc\x07"):
        yield Strike(attacker.sealed() + more, ends)


def _nesting(attacker: ControlAttacker) -> Iterable[Strike]:
    """Groups in groups of an unknown field, balanced or not; a body that is nested messages."""
    ends = any_of("malformed/undecodable", "malformed/unsigned_fields")
    for depth in (10, 99, 101, 1_000, 3_000):
        yield Strike(attacker.sealed() + b"\xfb\x07" * depth + b"\xfc\x07" * depth, ends)
        yield Strike(attacker.sealed() + b"\xfb\x07" * depth, ends)
    body = b""
    while len(body) < 4_000:
        body = b"\x0a" + _varint(len(body)) + body
    yield Strike(attacker.sealed(body=body), UNSIGNED)


def _oversize(attacker: ControlAttacker) -> Iterable[Strike]:
    yield from _each(
        any_of("limit/oversized"),
        *(attacker.sealed() + bytes(n) for n in (16_384, 100_000, 4_000_000)),
    )
    # Behind the limit of a message it is gRPC that refuses.
    yield Strike(bytes(8 << 20), any_of("RESOURCE_EXHAUSTED", "limit/no_hello"))


def _nobody(attacker: ControlAttacker) -> Iterable[Strike]:
    for worker in ("nobody", "é", "execution.ingress-0.2", "\0"):
        yield Strike(attacker.sealed(worker_id=worker), UNSIGNED)
    long = any_of("malformed/bad_field")
    yield from _each(long, *(attacker.sealed(worker_id=worker) for worker in ("", "x" * 257)))


def _no_word(_: ControlAttacker) -> Iterable[Strike]:
    yield from repeat(Strike(b"", any_of("limit/no_hello"), ending=Ending.HALF_CLOSE), 20)


def _flood(attacker: ControlAttacker) -> Iterable[Strike]:
    for _ in range(1_000):
        yield Strike(attacker.sealed(), UNSIGNED | _ROOM)


def _silence(_: ControlAttacker) -> Iterable[Strike]:
    yield from repeat(Strike(b"", _ROOM, ending=Ending.DRIP), 500)


CONTROL_ATTACKS: tuple[ControlAttack, ...] = tuple(
    Attack(name, does, must, Port.CONTROL, strikes, width)
    for name, does, must, strikes, width in (
        ("garbage", "sends what is no message", "malformed", _garbage, 8),
        ("truncation", "ends a hello behind every byte", "refused, each of them", _truncated, 8),
        ("bit flips", "changes every bit of a hello", "refused, each of them", _flipped, 8),
        ("wrong version", "speaks another version", "version", _versions, 8),
        ("wrong direction", "gives orders as a supervisor would", "identity", _directions, 8),
        ("replay", "sends one hello 20 times", "identity, each time", _replays, 1),
        ("clock skew", "dates a hello from 0 to 2^64", "identity", _clocks, 8),
        ("odd signatures", "signs with nothing, or no ASCII", "identity", _signatures, 8),
        ("odd nonces", "sends a nonce of another size", "malformed", _nonces, 8),
        ("unknown fields", "adds fields to a signed message", "malformed", _unknown_fields, 8),
        ("hostile nesting", "nests groups and messages 3 000 deep", "malformed", _nesting, 8),
        ("oversize", "sends 16 KB to 8 MB first", "limit", _oversize, 2),
        ("odd identities", "calls itself what it is not", "identity or malformed", _nobody, 8),
        ("no word", "opens a stream and ends it", "limit", _no_word, 8),
        ("nonce flood", "sends 1 000 fresh nonces", "identity; no nonce is kept", _flood, 16),
        ("silent crowd", "opens 500 streams and waits", "limit", _silence, 500),
    )
)
"""Every attack on the control port that speaks gRPC."""


def _raw(*data: bytes, ending: Ending = Ending.WAIT) -> list[Strike]:
    # Some of it gRPC answers by its own protocol, some it keeps open for a while; nothing of it
    # reaches this project's code.
    return [Strike(raw, any_of("hung_up", "answered", "open"), ending=ending) for raw in data]


RAW_ATTACKS: tuple[ControlAttack, ...] = (
    Attack(
        "no HTTP/2",
        "speaks TLS, HTTP/1, noise, half of HTTP/2",
        "gRPC hangs up or waits; the run goes on",
        Port.CONTROL_RAW,
        lambda _: _raw(
            TLS_HELLO,
            HTTP_REQUEST,
            b"\xff" * 4096,
            HTTP2_PREFACE,
            HTTP2_PREFACE + b"\xff" * 4096,
            HTTP2_PREFACE + b"\xff\xff\xff\x04\0\0\0\0\0",
            HTTP2_PREFACE[:10],
            ending=Ending.HALF_CLOSE,
        ),
    ),
    Attack(
        "silent crowd",
        "opens 500 connections without HTTP/2",
        "the run goes on",
        Port.CONTROL_RAW,
        lambda _: _raw(*repeat(b"", 500), ending=Ending.HALF_CLOSE),
        width=500,
    ),
)
"""Attacks on the control port below gRPC, whose own behaviour they meet."""


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
