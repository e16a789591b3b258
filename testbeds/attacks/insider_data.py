"""Attacks that hold the keys, on the parts themselves: no socket, a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from attack_frames import flips, truncations
from attacks_on_data import SIGNATURES
from sk_transport import (
    Channel,
    FrameDecoder,
    FrameKind,
    FrameLimits,
    HandshakeLimits,
    KeyMaterial,
    LinkKeys,
    ReplayGuard,
    SequenceGuard,
    ServerHandshake,
    Signer,
    TransportError,
    Verifier,
    WireFrame,
)

TTL_SECONDS = 30.0
CAPACITY = 8
LIMITS = FrameLimits(1 << 16, 512)


@dataclass
class Insider:
    """What a worker `a` has, and the hub that it talks to."""

    now_ns: int = 10**15
    material: KeyMaterial = field(default_factory=KeyMaterial.generated)

    def __post_init__(self) -> None:
        self.guard = ReplayGuard(ttl_seconds=TTL_SECONDS, capacity=CAPACITY)
        self.hub = ServerHandshake(
            HandshakeLimits(),
            lambda name: self.keys(name) if name in ("a", "b") else None,
            session="now",
            server="hub",
            ttl_seconds=TTL_SECONDS,
            guard=self.guard,
            clock=self.clock,
        )

    def clock(self) -> int:
        """The time of both ends."""
        return self.now_ns

    def wait(self, seconds: float) -> None:
        """Let time pass, backwards too."""
        self.now_ns += round(seconds * 1e9)

    def keys(self, name: str, session: str = "now") -> LinkKeys:
        """The keys between a worker and the hub."""
        return LinkKeys.derive(self.material, session, name, "hub")

    def signer(self, name: str = "a", session: str = "now", *, back: bool = False) -> Signer:
        """What signs for a worker, or for the hub on the way back."""
        keys, channel = self.keys(name, session), Channel(session, name, "hub")
        if back:
            return Signer(channel.reverse(), keys.to_client, clock=self.clock)
        return Signer(channel, keys.to_server, clock=self.clock)

    def hello(self, signer: Signer | None = None, name: str = "a") -> bytes:
        """A HELLO that is right."""
        return sealed(signer or self.signer(name), FrameKind.HELLO, name.encode(), b"")

    def greeted(self, raw: bytes) -> str:
        """What the hub makes of a first frame: a category, or `accepted`."""
        return verdict(lambda: self.hub.accept(frame_of(raw)))

    def verifier(self, guard: ReplayGuard | SequenceGuard) -> Verifier:
        """What verifies the frames of worker `a`."""
        channel, key = Channel("now", "a", "hub"), self.keys("a").to_server
        return Verifier(channel, key, ttl_seconds=TTL_SECONDS, guard=guard, clock=self.clock)


def sealed(
    signer: Signer, kind: FrameKind = FrameKind.BATCH, header: bytes = b"h", payload: bytes = b"p"
) -> bytes:
    """A signed frame as it travels."""
    return b"".join(signer.seal(kind, header, payload))


def frame_of(raw: bytes) -> WireFrame:
    """The one frame that `raw` is; raises a `FrameError` when it is none."""
    decoder = FrameDecoder(LIMITS)
    frames = decoder.feed(raw)
    decoder.finish()
    (frame,) = frames
    return frame


def verdict(call: Callable[[], object]) -> str:
    """`accepted`, or the category of the refusal."""
    try:
        call()
    except TransportError as refusal:
        return refusal.category
    return "accepted"


def replay_now(insider: Insider) -> Iterator[str]:
    """A HELLO that was heard is sent again, at once and for as long as it is valid."""
    hello = insider.hello()
    assert insider.greeted(hello) == "accepted"
    for seconds in (0, 0, TTL_SECONDS / 2, TTL_SECONDS / 2):
        insider.wait(seconds)
        yield insider.greeted(hello)


def replay_of_the_turned_over(insider: Insider) -> Iterator[str]:
    """The cache is filled to the brim with nonces that are good, to drive the first one out."""
    first = insider.hello()
    assert insider.greeted(first) == "accepted"
    while insider.greeted(insider.hello()) == "accepted":
        continue
    yield insider.greeted(insider.hello())  # it fails closed ...
    yield insider.greeted(first)  # ... has forgotten nothing ...
    insider.wait(TTL_SECONDS + 0.001)
    yield insider.greeted(first)  # ... and forgets no sooner than a nonce has expired.
    assert insider.greeted(insider.hello()) == "accepted"


def nonce_flood_without_keys(insider: Insider) -> Iterator[str]:
    """Ten times as many fresh nonces as there is room for, none of them signed."""
    stranger = Insider(insider.now_ns)
    for _ in range(10 * CAPACITY):
        yield insider.greeted(stranger.hello())
    assert len(insider.guard) == 0
    assert insider.greeted(insider.hello()) == "accepted"


def replay_on_a_link(insider: Insider) -> Iterator[str]:
    """Frames of an open link come again, and in another order, later than any TTL too."""
    verifier, signer = insider.verifier(SequenceGuard()), insider.signer()
    frames = [sealed(signer) for _ in range(4)]
    for raw in (frames[0], frames[2]):
        verifier.verify(frame_of(raw))
    for raw in (frames[2], frames[1], frames[0]):
        yield verdict(lambda raw=raw: verifier.verify(frame_of(raw)))  # type: ignore[misc]
    verifier.verify(frame_of(frames[3]))


def reflection(insider: Insider) -> Iterator[str]:
    """What the hub has signed is sent to the hub."""
    guard = ReplayGuard(ttl_seconds=TTL_SECONDS, capacity=CAPACITY)
    raw = sealed(insider.signer(back=True))
    yield verdict(lambda: insider.verifier(guard).verify(frame_of(raw)))
    yield insider.greeted(insider.hello(insider.signer(back=True)))


def wrong_worker_or_session(insider: Insider) -> Iterator[str]:
    """One worker speaks as another; a frame of the last run comes in this one."""
    yield insider.greeted(insider.hello(insider.signer("b"), name="a"))
    yield insider.greeted(insider.hello(insider.signer("a"), name="b"))
    yield insider.greeted(insider.hello(insider.signer(session="before")))


def clock_skew(insider: Insider) -> Iterator[str]:
    """A HELLO is dated too far behind or ahead; the edge itself is let in."""
    now_ns = insider.now_ns
    for seconds in (-10 * TTL_SECONDS, -TTL_SECONDS - 1e-6, TTL_SECONDS + 1e-6, 1e6):
        insider.now_ns = now_ns
        insider.wait(seconds)
        hello = insider.hello()
        insider.now_ns = now_ns
        yield insider.greeted(hello)
    insider.wait(-TTL_SECONDS)
    edge = insider.hello()
    insider.wait(TTL_SECONDS)
    assert insider.greeted(edge) == "accepted"


def clock_backwards(insider: Insider) -> Iterator[str]:
    """The clock is set back behind a nonce that has expired."""
    hello = insider.hello()
    assert insider.greeted(hello) == "accepted"
    insider.wait(2 * TTL_SECONDS + 1)
    assert insider.greeted(insider.hello()) == "accepted"
    insider.wait(-2 * TTL_SECONDS - 1)
    yield insider.greeted(hello)


def signatures(insider: Insider) -> Iterator[str]:
    """A right HELLO with its signature replaced."""
    hello = insider.hello()
    for signature in SIGNATURES:
        yield insider.greeted(hello[:32] + signature + hello[64:])


def signed_bits(insider: Insider) -> Iterator[str]:
    """Every bit behind the first 8 bytes of a right frame is changed: all of them are signed."""
    raw = sealed(insider.signer(), payload=b"records")
    verifier = insider.verifier(ReplayGuard(ttl_seconds=TTL_SECONDS, capacity=CAPACITY))
    for place, data in flips(raw):
        if place >= 8:
            yield verdict(lambda data=data: verifier.verify(frame_of(data)))  # type: ignore[misc]
    verifier.verify(frame_of(raw))


def every_truncation(insider: Insider) -> Iterator[str]:
    """A right frame ends behind each of its bytes."""
    for data in truncations(sealed(insider.signer(), payload=b"records")):
        yield verdict(lambda data=data: frame_of(data))  # type: ignore[misc]


INSIDER_CASES: tuple[tuple[Callable[[Insider], Iterator[str]], frozenset[str]], ...] = (
    (replay_now, frozenset({"replay"})),
    (replay_of_the_turned_over, frozenset({"replay_guard_full", "replay", "expired"})),
    (nonce_flood_without_keys, frozenset({"signature"})),
    (replay_on_a_link, frozenset({"replay"})),
    (reflection, frozenset({"signature"})),
    (wrong_worker_or_session, frozenset({"signature"})),
    (clock_skew, frozenset({"expired"})),
    (clock_backwards, frozenset({"expired"})),
    (signatures, frozenset({"signature"})),
    (signed_bits, frozenset({"signature"})),
    (every_truncation, frozenset({"truncated"})),
)
"""Each with the categories under which all that it yields is refused; it meets all of them."""
