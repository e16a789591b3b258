"""Strangers at the port, and a worker that joined them: refused, counted, without effect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from sk_control import (
    BootstrapBundle,
    BundleAck,
    ControlSettings,
    Direction,
    Heartbeat,
    Ready,
    Refused,
    SessionState,
    StartWork,
    StopAck,
    WorkerHello,
    WorkerLost,
    WorkerMessage,
)
from sk_control._control_keys import control_keys_of, token_keys
from sk_control._envelope import parse_envelope
from sk_control._seal import Sealer, seal_and_open, sign
from sk_transport import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from sk_control import WorkerIdentity

    from conftest import Control, Stranger

    Attack = Callable[[Control, WorkerIdentity], bytes]


def sealed_hello(control: Control, identity: WorkerIdentity, **changes: Any) -> bytes:
    """Return a hello, right but for the changes to its seal, or to itself (`hello_...`)."""
    body = {name: changes.pop(name) for name in list(changes) if name.startswith("hello_")}
    hello = control.hello(
        identity, **{name.removeprefix("hello_"): value for name, value in body.items()}
    )
    return control.sealer(identity.worker_id, **changes).seal(hello)


def as_another_worker(control: Control, identity: WorkerIdentity) -> bytes:
    """Return a hello in another expected worker's name, signed with one's own token."""
    other = control.expect("w-other")
    return sealed_hello(control, other, token=control.tokens[identity.worker_id])


def resealed(control: Control, identity: WorkerIdentity, **changes: Any) -> bytes:
    sealer = control.sealer(identity.worker_id)
    envelope = replace(parse_envelope(sealed_hello(control, identity)), **changes)
    return replace(envelope, signature=sign(envelope, sealer.key)).to_bytes()


def ready_first(control: Control, identity: WorkerIdentity) -> bytes:
    return control.sealer(identity.worker_id).seal(Ready())


def late(control: Control, identity: WorkerIdentity) -> bytes:
    raw = sealed_hello(control, identity)
    control.clock.advance(31)
    return raw


def after_the_deadline(control: Control, identity: WorkerIdentity) -> bytes:
    control.clock.advance(61)
    return sealed_hello(control, identity)


def reflected(control: Control, identity: WorkerIdentity) -> bytes:
    return sealed_hello(control, identity, direction=Direction.TO_WORKER)


FIRST_MESSAGES: list[tuple[str, Attack, str, str]] = [
    ("nothing", lambda c, i: b"", "malformed/bad_field", ""),
    ("garbage", lambda c, i: b"\xff\x00garbage", "malformed/undecodable", ""),
    ("http", lambda c, i: b"GET / HTTP/1.1\r\n\r\n", "malformed/undecodable", ""),
    (
        "unsigned field",
        lambda c, i: sealed_hello(c, i) + b"\xf8\x07\x01",
        "malformed/unsigned_fields",
        "",
    ),
    ("garbled body", lambda c, i: resealed(c, i, body=b"\xff"), "malformed/undecodable", ""),
    ("unknown kind", lambda c, i: resealed(c, i, kind=99), "malformed/unknown_kind", ""),
    (
        "unsigned",
        lambda c, i: replace(parse_envelope(sealed_hello(c, i)), signature=b"").to_bytes(),
        "signature/bad_signature",
        "w-1",
    ),
    (
        "wrong key",
        lambda c, i: sealed_hello(c, i, key=Secret.generate()),
        "signature/bad_signature",
        "w-1",
    ),
    ("another worker's place", as_another_worker, "signature/bad_signature", "w-other"),
    (
        "unknown worker",
        lambda c, i: sealed_hello(c, replace(i, worker_id="nobody")),
        "identity/unknown_worker",
        "",
    ),
    (
        "old session",
        lambda c, i: sealed_hello(c, i, session_id="session-0"),
        "identity/wrong_session",
        "w-1",
    ),
    ("reflected", reflected, "identity/wrong_direction", "w-1"),
    (
        "another id in the body",
        lambda c, i: sealed_hello(c, i, hello_worker_id="w-2"),
        "identity/identity_mismatch",
        "w-1",
    ),
    (
        "another group",
        lambda c, i: sealed_hello(c, i, hello_group="egress"),
        "identity/identity_mismatch",
        "w-1",
    ),
    (
        "another incarnation",
        lambda c, i: sealed_hello(c, i, hello_incarnation=2),
        "identity/identity_mismatch",
        "w-1",
    ),
    ("new version", lambda c, i: sealed_hello(c, i, version=2), "version/version_mismatch", "w-1"),
    (
        "offers other versions",
        lambda c, i: sealed_hello(c, i, hello_protocol_versions=(2, 3)),
        "version/version_mismatch",
        "w-1",
    ),
    ("ready first", ready_first, "protocol/message_before_hello", "w-1"),
    ("late", late, "freshness/outside_ttl", "w-1"),
    ("token expired", after_the_deadline, "token/token_expired", "w-1"),
    (
        "oversized",
        lambda c, i: sealed_hello(c, i) + b"\0" * 20_000,
        "limit/oversized",
        "",
    ),
]


@pytest.mark.contract("P5PRE-CTRL-03", "P5PRE-CTRL-06")
@pytest.mark.parametrize(
    ("attack", "refusal", "named"),
    [case[1:] for case in FIRST_MESSAGES],
    ids=[case[0] for case in FIRST_MESSAGES],
)
def test_a_wrong_first_message_is_refused_and_spends_no_token(
    control: Control, attack: Attack, refusal: str, named: str
) -> None:
    """The stream ends with its code, one refusal is counted, the worker's place stays its own."""
    identity = control.expect("w-1")
    stranger = control.stranger()
    stranger.send(attack(control, identity))
    assert stranger.refusal() == refusal
    event = control.event(Refused)
    assert (f"{event.category}/{event.code}", event.worker_id) == (refusal, named)
    counted = {category: n for category, n in control.server.refusals().items() if n}
    assert counted == {refusal.partition("/")[0]: 1}
    assert control.server.states()["w-1"] is SessionState.EXPECTED
    if refusal != "token/token_expired":
        control.connect(identity)
        assert control.event(WorkerHello).hello.worker_id == "w-1"


@pytest.mark.contract("P5PRE-CTRL-03")
def test_a_recorded_hello_opens_nothing(control: Control) -> None:
    """Sent a second time it is a replay; behind the TTL it is too old."""
    identity = control.expect("w-1")
    raw = sealed_hello(control, identity)
    first = control.stranger()
    first.send(raw)
    assert first.receive()
    control.event(WorkerHello)
    for seconds, refusal in ((0, "replay/replayed_nonce"), (31, "freshness/outside_ttl")):
        control.clock.advance(seconds)
        again = control.stranger()
        again.send(raw)
        assert again.refusal() == refusal
        assert control.event(Refused).worker_id == "w-1"
    assert control.server.states() == {"w-1": SessionState.BOOTSTRAPPED}


def test_a_token_is_good_for_one_hello(control: Control) -> None:
    """A second one, fresh and rightly signed, is refused while the first worker lives and after."""
    identity = control.expect("w-1")
    worker = control.connect(identity)
    control.event(WorkerHello)
    control.event(WorkerMessage)
    for _ in range(2):
        thief = control.stranger()
        thief.send(sealed_hello(control, identity))
        assert thief.refusal() == "token/token_used"
        assert control.event(Refused).code == "token_used"
        if worker.channel.state is SessionState.ACKED:
            worker.channel.send(Ready())
            assert control.event(WorkerMessage).message == Ready()
            worker.channel.close()
            control.event(WorkerLost)


def test_a_silent_stream_is_ended_after_its_time(make_control: Callable[..., Control]) -> None:
    """It is told why, and counted."""
    control = make_control(settings=ControlSettings(hello_timeout_seconds=0.05))
    assert control.stranger().refusal() == "limit/hello_timeout"
    assert control.event(Refused).code == "hello_timeout"


def test_a_stream_that_ends_without_a_word_is_counted(control: Control) -> None:
    """A port scanner leaves a trace."""
    scanner = control.stranger()
    scanner.hang_up()
    assert scanner.refusal() == "limit/no_hello"
    assert control.event(Refused).code == "no_hello"


def test_a_flood_of_silent_streams_keeps_no_worker_out(
    make_control: Callable[..., Control],
) -> None:
    """Each new one drives out the oldest; all seats full, a worker still gets its bundle."""
    control = make_control(settings=ControlSettings(max_waiting=3))
    for _ in range(6):
        control.stranger()
    for _ in range(3):
        assert control.event(Refused).code == "evicted"
    worker = control.connect(control.expect("w-1"))
    assert worker.channel.state is SessionState.ACKED


@dataclass
class Traitor:
    """A worker that holds its keys and breaks the rules."""

    control: Control
    stranger: Stranger
    sealer: Sealer
    bundle: bytes

    def is_refused(self, raw: bytes) -> str:
        """Send bytes; `category/code` of the refusal that follows."""
        before = self.control.server.states()
        self.stranger.send(raw)
        event = self.control.event(Refused)
        assert self.control.server.states() == before
        return f"{event.category}/{event.code}"


@pytest.fixture
def traitor(control: Control) -> Traitor:
    identity = control.expect("w-1")
    stranger = control.stranger()
    stranger.send(sealed_hello(control, identity))
    raw = stranger.receive()
    _, opener = seal_and_open(
        Direction.TO_SUPERVISOR,
        token_keys(control.tokens["w-1"], "session-1", "w-1"),
        versions=(1,),
        session_id="session-1",
        worker_id="w-1",
        settings=ControlSettings(),
        clock=control.clock,
    )
    bundle = opener.open(raw)
    assert isinstance(bundle, BootstrapBundle)
    control.event(WorkerHello)
    keys = control_keys_of(bundle.keys)
    sealer = control.sealer("w-1", key=keys[Direction.TO_SUPERVISOR])
    stranger.send(sealer.seal(BundleAck()))
    control.event(WorkerMessage)
    return Traitor(control, stranger, sealer, raw)


@pytest.mark.contract("P5PRE-CTRL-03", "P5PRE-CTRL-06")
def test_what_is_wrong_on_an_open_session_is_dropped_and_counted(traitor: Traitor) -> None:
    """Each fault has its code, leaves the state, and the next right message is accepted."""
    control, sealer = traitor.control, traitor.sealer
    right = sealer.seal(Ready())
    token_signed = control.sealer("w-1").seal(Ready())
    wrong = {
        b"garbage": "malformed/undecodable",
        replace(sealer, worker_id="w-2").seal(Ready()): "identity/wrong_worker",
        replace(sealer, session_id="s").seal(Ready()): "identity/wrong_session",
        replace(sealer, version=9).seal(Ready()): "version/version_mismatch",
        replace(sealer, key=Secret.generate()).seal(Ready()): "signature/bad_signature",
        token_signed: "signature/bad_signature",
        traitor.bundle: "identity/wrong_direction",
        sealer.seal(StartWork()): "identity/wrong_direction",
        sealer.seal(StopAck()): "protocol/ack_without_stop",
        sealer.seal(BundleAck()): "protocol/duplicate_ack",
    }
    for raw, refusal in wrong.items():
        assert traitor.is_refused(raw) == refusal
    traitor.stranger.send(right)
    assert control.event(WorkerMessage) == WorkerMessage("w-1", Ready())
    assert traitor.is_refused(right) == "replay/replayed_nonce"
    assert sum(control.server.refusals().values()) == len(wrong) + 1


@pytest.mark.contract("P5PRE-CTRL-03")
def test_a_message_that_waited_too_long_is_refused_unless_it_is_the_next_one(
    traitor: Traitor,
) -> None:
    """The TTL holds on an open session too; an end that was suspended hears what is said to it."""
    control, sealer = traitor.control, traitor.sealer
    said = (Heartbeat(), Ready(), Heartbeat())
    sealed = []
    for message in said:
        control.clock.advance(1)
        sealed.append(sealer.seal(message))
    control.clock.advance(31)
    traitor.stranger.send(*sealed[1:])
    assert [control.event(WorkerMessage).message for _ in range(2)] == [*said[1:]]
    for raw in sealed:
        assert traitor.is_refused(raw) == "freshness/outside_ttl"


def test_a_flood_on_one_session_fails_closed_and_leaves_the_others_alone(
    make_control: Callable[..., Control],
) -> None:
    """The nonce cache is each worker's own."""
    control = make_control(settings=ControlSettings(nonce_capacity=8))
    noisy, quiet = control.ready_worker("noisy"), control.ready_worker("quiet")
    for _ in range(8):
        noisy.channel.send(Heartbeat())
    events = [control.events.get(timeout=20.0) for _ in range(8)]
    codes = [event.code for event in events if isinstance(event, Refused)]
    assert codes == ["nonce_cache_full"] * 3
    quiet.channel.send(Heartbeat())
    assert control.event(WorkerMessage) == WorkerMessage("quiet", Heartbeat())
