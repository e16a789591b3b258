"""Strangers at the port, and a worker that joined them: refused, counted, without effect."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sk_control import (
    ControlSettings,
    Direction,
    Heartbeat,
    Ready,
    Refused,
    SessionState,
    WorkerHello,
    WorkerLost,
    WorkerMessage,
)
from sk_control.testing import Traitor, forge, token_key
from sk_transport import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from sk_control import ControlMessage, WorkerIdentity

    from conftest import Control

    Attack = Callable[[Control, WorkerIdentity], bytes]

SESSION = "session-1"


def forged(
    control: Control,
    message: ControlMessage,
    worker_id: str,
    key: Secret | None = None,
    **changes: Any,
) -> bytes:
    """Return a message signed with the worker's token, right but for the key and the changes."""
    place = {"session_id": SESSION, "worker_id": worker_id, "clock": control.clock}
    return forge(message, key or control.token_key(worker_id), **{**place, **changes})


def sealed_hello(control: Control, identity: WorkerIdentity, **changes: Any) -> bytes:
    """Return a hello, right but for the changes to its seal, or to itself (`hello_...`)."""
    body = {name: changes.pop(name) for name in list(changes) if name.startswith("hello_")}
    hello = control.hello(
        identity, **{name.removeprefix("hello_"): value for name, value in body.items()}
    )
    return forged(control, hello, identity.worker_id, **changes)


def as_another_worker(control: Control, identity: WorkerIdentity) -> bytes:
    """Return a hello in another expected worker's name, signed with one's own token."""
    other = control.expect("w-other")
    key = token_key(control.tokens[identity.worker_id], SESSION, other.worker_id)
    return sealed_hello(control, other, key=key)


def ready_first(control: Control, identity: WorkerIdentity) -> bytes:
    return forged(control, Ready(), identity.worker_id)


def late(control: Control, identity: WorkerIdentity) -> bytes:
    raw = sealed_hello(control, identity)
    control.clock.advance(31)
    return raw


def after_the_deadline(control: Control, identity: WorkerIdentity) -> bytes:
    control.clock.advance(61)
    return sealed_hello(control, identity)


def reflected(control: Control, identity: WorkerIdentity) -> bytes:
    direction = Direction.TO_WORKER
    key = control.token_key(identity.worker_id, direction)
    return sealed_hello(control, identity, key=key, direction=direction)


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
    ("garbled body", lambda c, i: sealed_hello(c, i, body=b"\xff"), "malformed/undecodable", ""),
    ("unknown kind", lambda c, i: sealed_hello(c, i, kind=99), "malformed/unknown_kind", ""),
    (
        "unsigned",
        lambda c, i: sealed_hello(c, i, signature=b""),
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
    (
        "new version",
        lambda c, i: sealed_hello(c, i, protocol_version=2),
        "version/version_mismatch",
        "w-1",
    ),
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
    assert control.stranger().strike(attack(control, identity)) == refusal
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
    first = control.stream()
    first.send(raw)
    assert first.receive()
    control.event(WorkerHello)
    for seconds, refusal in ((0, "replay/replayed_nonce"), (31, "freshness/outside_ttl")):
        control.clock.advance(seconds)
        assert control.stranger().strike(raw) == refusal
        assert control.event(Refused).worker_id == "w-1"
    assert control.server.states() == {"w-1": SessionState.BOOTSTRAPPED}


def test_a_token_is_good_for_one_hello(control: Control) -> None:
    """A second one, fresh and rightly signed, is refused while the first worker lives and after."""
    identity = control.expect("w-1")
    worker = control.connect(identity)
    control.event(WorkerHello)
    control.event(WorkerMessage)
    for _ in range(2):
        assert control.stranger().strike(sealed_hello(control, identity)) == "token/token_used"
        assert control.event(Refused).code == "token_used"
        if worker.channel.state is SessionState.ACKED:
            worker.channel.send(Ready())
            assert control.event(WorkerMessage).message == Ready()
            worker.channel.close()
            control.event(WorkerLost)


def test_a_silent_stream_is_ended_after_its_time(make_control: Callable[..., Control]) -> None:
    """It is told why, and counted."""
    control = make_control(settings=ControlSettings(hello_timeout_seconds=0.05))
    assert control.stranger().strike() == "limit/hello_timeout"
    assert control.event(Refused).code == "hello_timeout"


def test_a_stream_that_ends_without_a_word_is_counted(control: Control) -> None:
    """A port scanner leaves a trace."""
    scanner = control.stream()
    scanner.half_close()
    assert scanner.outcome() == "limit/no_hello"
    assert control.event(Refused).code == "no_hello"


def test_a_flood_of_silent_streams_keeps_no_worker_out(
    make_control: Callable[..., Control],
) -> None:
    """Each new one drives out the oldest; all seats full, a worker still gets its bundle."""
    control = make_control(settings=ControlSettings(max_waiting=3))
    for _ in range(6):
        control.stream()
    for _ in range(3):
        assert control.event(Refused).code == "evicted"
    worker = control.connect(control.expect("w-1"))
    assert worker.channel.state is SessionState.ACKED


@pytest.mark.contract("P5PRE-CTRL-03")
def test_a_message_that_waited_too_long_is_refused_unless_it_is_the_next_one(
    control: Control,
) -> None:
    """The TTL holds on an open session too; an end that was suspended hears what is said to it."""
    identity = control.expect("w-1")
    traitor = Traitor(
        control.stranger(), SESSION, identity, control.tokens["w-1"], clock=control.clock
    )
    control.event(WorkerHello)
    control.event(WorkerMessage)
    said = (Heartbeat(), Ready(), Heartbeat())
    sealed = []
    for message in said:
        control.clock.advance(1)
        sealed.append(traitor.seal(message))
    control.clock.advance(31)
    traitor.stream.send(*sealed[1:])
    assert [control.event(WorkerMessage).message for _ in range(2)] == [*said[1:]]
    for raw in sealed:
        before = control.server.states()
        traitor.stream.send(raw)
        assert control.event(Refused).code == "outside_ttl"
        assert control.server.states() == before


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
