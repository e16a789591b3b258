"""The corpus against the data port. The attacker has no key: nothing of it may be let in.

Nothing is ever answered. `refused` is the category that the listener counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import repeat

from attack_frames import (
    ACK,
    BATCH,
    CREDIT,
    END,
    HEAD,
    REPLY,
    REQUEST,
    WELCOME,
    Attacker,
    flips,
    truncations,
)
from attack_model import Attack, Ending, Port, Strike, any_of

DataAttack = Attack[Attacker]

TLS_HELLO = bytes.fromhex("16030100c6010000c20303") + bytes(200)
HTTP_REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SIGNATURES = (bytes(32), b"\xff" * 32, "é".encode() * 16, b"f" * 32, b"=" * 32)
DAY_NS = 86_400 * 10**9

_ANY_FLIP = any_of("version", "malformed", "oversize", "kind", "truncated", "handshake")
_OF_HEADER = any_of("identity", "handshake", "signature")


def refused(*categories: str, data: bytes, ending: Ending = Ending.WAIT) -> Strike:
    """A strike that is hung up on, and counted under one of these."""
    return Strike(data, refused=frozenset(categories), ending=ending)


def _garbage(attacker: Attacker) -> Iterable[Strike]:
    for data in (TLS_HELLO, HTTP_REQUEST, HTTP2_PREFACE, bytes(80), b"\xff" * 80, b"\n" * 80):
        yield refused("version", "malformed", data=data)
    for size in range(8, 200, 3):
        yield refused("version", data=b"\0\0\0\0\x07" + attacker.random.randbytes(size))


def _truncated(attacker: Attacker) -> Iterable[Strike]:
    for data in truncations(attacker.frame()):
        yield refused("truncated", data=data, ending=Ending.HALF_CLOSE)


def _length_lies(attacker: Attacker) -> Iterable[Strike]:
    frame = partial(attacker.frame, header=b"w")
    for length in (0, 1, 59):
        yield refused("malformed", data=frame(length=length))
    for length in (0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 20, 1000):
        yield refused("oversize", data=frame(length=length))
    for header_length in (2, 60, 255):
        yield refused("malformed", data=frame(header_length=header_length))
    for header_length in (300, 0xFFFF):
        yield refused("oversize", data=frame(header_length=header_length))
    yield refused("handshake", data=frame(length=60, header_length=0))
    yield refused("timeout", data=frame(length=70))  # more is announced than comes


def _oversize(attacker: Attacker) -> Iterable[Strike]:
    for size in (337, 4096, 1 << 20, 1 << 24, (1 << 32) - 1):
        yield refused("oversize", data=HEAD.pack(size, 1, BATCH, 0))
    yield refused("oversize", data=attacker.frame(payload=bytes(1 << 16)))


def _flipped(attacker: Attacker) -> Iterable[Strike]:
    frame = attacker.frame()
    for place, data in flips(frame):
        if place < HEAD.size:
            yield Strike(data, refused=_ANY_FLIP, ending=Ending.HALF_CLOSE)
        elif place < len(frame) - len(attacker.identity):
            yield refused("signature", data=data)
        else:
            yield Strike(data, refused=_OF_HEADER)


def _versions(attacker: Attacker) -> Iterable[Strike]:
    for version in (0, 2, 3, 127, 128, 255):
        yield refused("version", data=attacker.frame(version=version))


def _directions(attacker: Attacker) -> Iterable[Strike]:
    for kind in (WELCOME, BATCH, END, ACK, CREDIT, REQUEST, REPLY, 0, 9, 255):
        yield refused("kind", data=attacker.frame(kind))
    # The server's own name, as in its WELCOME sent back.
    yield refused("identity", data=attacker.frame(header=b"hub"))


def _replays(attacker: Attacker) -> Iterable[Strike]:
    yield from repeat(refused("signature", data=attacker.frame()), 20)


def _clocks(attacker: Attacker) -> Iterable[Strike]:
    for time_ns in (0, 1, DAY_NS, 2**63, 2**64 - 1):
        yield refused("signature", data=attacker.frame(time_ns=time_ns))


def _signatures(attacker: Attacker) -> Iterable[Strike]:
    for signature in SIGNATURES:
        yield refused("signature", data=attacker.frame(signature=signature))
    missing = attacker.frame(signature=b"")  # the frame is then shorter than it says
    yield refused("truncated", data=missing, ending=Ending.HALF_CLOSE)


def _identities(attacker: Attacker) -> Iterable[Strike]:
    for name in (b"nobody", b"execution.ingress-0.2", b"\0", "é".encode(), b"x" * 256, b"HUB"):
        yield refused("identity", data=attacker.frame(header=name))
    for name in (b"", b"\xff\xfe", b"\xc3"):
        yield refused("handshake", data=attacker.frame(header=name))
    yield refused("oversize", data=attacker.frame(header=b"x" * 257))


def _more_than_a_hello(attacker: Attacker) -> Iterable[Strike]:
    hello = attacker.frame()
    yield refused("handshake", data=attacker.frame(payload=b"x"))
    for more in (b"\0", hello, attacker.frame(BATCH, b"", b"records")):
        yield refused("handshake", data=hello + more)


def _flood(attacker: Attacker) -> Iterable[Strike]:
    for _ in range(2_000):
        yield Strike(attacker.frame(), refused=any_of("signature", "overload"))


def _drip(attacker: Attacker) -> Iterable[Strike]:
    for _ in range(8):
        yield refused("timeout", data=attacker.frame(payload=bytes(100)), ending=Ending.DRIP)


def _silence(_: Attacker) -> Iterable[Strike]:
    yield from repeat(Strike(b"", refused=any_of("overload", "timeout")), 500)


def _port_scan(_: Attacker) -> Iterable[Strike]:
    yield from repeat(Strike(b"", ending=Ending.HALF_CLOSE), 50)


DATA_ATTACKS: tuple[DataAttack, ...] = tuple(
    Attack(name, does, must, Port.DATA, strikes, width)
    for name, does, must, strikes, width in (
        ("garbage", "speaks TLS, HTTP, zeros, noise", "version or malformed", _garbage, 16),
        ("truncation", "ends a HELLO behind every byte", "truncated", _truncated, 16),
        (
            "length lies",
            "lies in length and header length",
            "by the first 8 bytes",
            _length_lies,
            16,
        ),
        ("oversize", "announces more than the limit", "oversize, no memory taken", _oversize, 16),
        ("bit flips", "changes every bit of a HELLO", "refused, each of them", _flipped, 16),
        ("wrong version", "speaks another version", "version", _versions, 16),
        ("wrong direction", "sends what is the server's, or data", "kind", _directions, 16),
        ("replay", "sends one HELLO 20 times", "signature, each time", _replays, 1),
        ("clock skew", "dates a HELLO from 0 to 2^64", "signature", _clocks, 16),
        ("odd signatures", "signs with nothing, or no ASCII", "signature", _signatures, 16),
        ("odd identities", "calls itself what it is not", "identity", _identities, 16),
        ("more than a hello", "sends data before the welcome", "handshake", _more_than_a_hello, 16),
        ("nonce flood", "sends 2 000 fresh nonces", "signature; no nonce is kept", _flood, 32),
        ("slow drip", "sends a byte at a time", "timeout", _drip, 8),
        ("silent crowd", "opens 500 connections and waits", "overload or timeout", _silence, 500),
        ("port scan", "connects and leaves", "nothing, not even a count", _port_scan, 16),
    )
)
"""Every attack on the data port."""
