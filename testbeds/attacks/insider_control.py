"""Attacks on a control session by a worker that has been admitted and holds its keys.

Beside those that the claims of `sk_control.testing` make of every server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from attack_frames import flips, truncations
from sk_control import ControlServer, ControlSettings, Heartbeat, Hello, Ready, WorkerMessage
from sk_control.testing import ServerBench, Traitor

SETTINGS: Final = ControlSettings(ttl_seconds=30.0)


def joined() -> ServerBench:
    """A control server with room for a traitor and an honest worker."""
    return ServerBench(ControlServer, SETTINGS)


def replay_now(bench: ServerBench, traitor: Traitor) -> Iterator[str]:
    """A message is sent again at once, and after its time."""
    raw = traitor.seal(Heartbeat())
    traitor.stream.send(raw)
    bench.event(object)
    for seconds in (0.0, 29.9, 0.2):
        bench.clock.advance(seconds)
        traitor.stream.send(raw)
        yield bench.refusal()


def replay_after_many(bench: ServerBench, traitor: Traitor) -> Iterator[str]:
    """The first of many messages is sent again, and one that was held back is sent after them."""
    first, held_back = traitor.seal(Heartbeat()), traitor.seal(Heartbeat())
    traitor.stream.send(first, *(traitor.seal(Heartbeat()) for _ in range(50)))
    for _ in range(51):
        bench.event(WorkerMessage)
    for raw in (first, held_back):
        traitor.stream.send(raw)
        yield bench.refusal()


def nonces_of_another(bench: ServerBench, traitor: Traitor) -> Iterator[str]:
    """Nonces that the worker's own series does not lead to, below and above it."""
    for nonce in (bytes(16), b"\xff" * 16):
        traitor.stream.send(traitor.seal(Heartbeat(), nonce=nonce))
        yield bench.refusal()


def clock_skew(bench: ServerBench, traitor: Traitor) -> Iterator[str]:
    """A hello is dated too far behind or ahead."""
    now_ns, ttl_ns = bench.clock(), 30 * 10**9
    stranger, place = bench.stranger(), ("traitor", "features", 0, 1)
    for time_ns in (0, now_ns - ttl_ns - 1, now_ns + ttl_ns + 1, 2**64 - 1):
        hello = traitor.seal(Hello((1,), *place, pid=1), traitor.first_key, time_ns=time_ns)
        yield stranger.strike(hello).partition("/")[0]


def bad_signatures(bench: ServerBench, traitor: Traitor) -> Iterator[str]:
    """Nothing, too short, no ASCII, or by the key of the hello."""
    for signature in (b"", b"x", bytes(31), bytes(33), "é".encode() * 16, b"\xff" * 32):
        traitor.stream.send(traitor.seal(Ready(), signature=signature))
        yield bench.refusal()
    traitor.stream.send(traitor.seal(Ready(), traitor.first_key))
    yield bench.refusal()


def hostile_bodies(bench: ServerBench, traitor: Traitor) -> Iterator[str]:
    """A signed body that is nested groups, or no message at all."""
    for body in (b"\x0b" * 3_000, b"\x0b" * 2_000 + b"\x0c" * 2_000, b"\xff", b"\x0a\x7f"):
        traitor.stream.send(traitor.seal(Ready(), body=body))
        yield bench.refusal()


def every_bit(bench: ServerBench, traitor: Traitor) -> Iterator[str]:
    """Each bit of a right message is changed."""
    for _, raw in flips(traitor.seal(Ready())):
        traitor.stream.send(raw)
        yield bench.refusal()


def every_truncation(bench: ServerBench, traitor: Traitor) -> Iterator[str]:
    """A right message ends behind each of its bytes."""
    for raw in truncations(traitor.seal(Ready())):
        traitor.stream.send(raw)
        yield bench.refusal()


CONTROL_INSIDER_CASES: tuple[
    tuple[Callable[[ServerBench, Traitor], Iterator[str]], frozenset[str]], ...
] = (
    (replay_now, frozenset({"replay"})),
    (replay_after_many, frozenset({"replay"})),
    (nonces_of_another, frozenset({"replay"})),
    (clock_skew, frozenset({"freshness"})),
    (bad_signatures, frozenset({"signature"})),
    (hostile_bodies, frozenset({"malformed"})),
    (every_bit, frozenset({"malformed", "version", "identity", "signature"})),
    (every_truncation, frozenset({"malformed", "signature"})),
)
"""Each with the categories under which all that it sends is refused."""
