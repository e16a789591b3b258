"""The claims of the contract of `ControlServer`, as functions that check them."""

from __future__ import annotations

import queue
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from sk_transport import Secret

from sk_control._events import Refused, WorkerHello, WorkerLost, WorkerMessage
from sk_control._identity import WorkerIdentity
from sk_control._kinds import Direction
from sk_control._messages import (
    BundleAck,
    ControlMessage,
    Hello,
    Ready,
    StartWork,
    Stop,
    StopAck,
)
from sk_control._reports import Drained, DrainOutcome, Heartbeat
from sk_control._transitions import SessionState
from sk_control.errors import (
    ControlProtocolError,
    KeyBundleConsumedError,
    WorkerExpectedTwiceError,
)
from sk_control.testing._bench import DATA_KEY, SESSION, SOON, ServerBench
from sk_control.testing._forge import forge, token_key

Fault = TypeVar("Fault", bound=BaseException)


def a_worker_goes_from_hello_to_its_last_word(bench: ServerBench) -> None:
    """Each message arrives once and in order; the end of the stream after the last is no loss."""
    told: queue.SimpleQueue[ControlMessage] = queue.SimpleQueue()
    channel = bench.connect(bench.expect("w-1"), on_message=told.put)
    bench.event(WorkerHello)
    for message in (Ready(), Heartbeat()):
        channel.send(message)
    _equal([bench.event(WorkerMessage).message for _ in range(3)], [BundleAck(), *_READY])
    bench.server.send("w-1", StartWork())
    _equal(told.get(timeout=SOON), StartWork())
    channel.send(Drained(DrainOutcome.COMPLETE))
    _equal(bench.event(WorkerMessage).message, Drained(DrainOutcome.COMPLETE))
    bench.server.send("w-1", Stop(drain=True))
    _equal(told.get(timeout=SOON), Stop(drain=True))
    channel.send(StopAck())
    _equal(bench.event(WorkerMessage).message, StopAck())
    _equal(bench.server.states(), {"w-1": SessionState.STOPPED})
    channel.close()
    bench.connect(bench.expect("w-2"))
    _equal(bench.event(WorkerHello).hello.worker_id, "w-2")


def the_bundle_comes_once_with_its_keys(bench: ServerBench) -> None:
    """The worker gets the exact application keys, without control keys; a second read raises."""
    channel = bench.connect(bench.expect("w-1"))
    keys = channel.take_bundle().keys
    _equal({name: key.reveal() for name, key in keys.items()}, {"data": DATA_KEY})
    _raises(KeyBundleConsumedError, channel.take_bundle)


def an_order_out_of_turn_is_a_protocol_error(bench: ServerBench) -> None:
    """A start before `Ready`, or a second one, raises with its code; the state is unchanged."""
    channel = bench.connect(bench.expect("w-1"))
    fault = _raises(ControlProtocolError, lambda: bench.server.send("w-1", StartWork()))
    _equal(fault.code.value, "start_before_ready")
    channel.send(Ready())
    _until_ready(bench, "w-1")
    bench.server.send("w-1", StartWork())
    fault = _raises(ControlProtocolError, lambda: bench.server.send("w-1", StartWork()))
    _equal((fault.code.value, bench.server.states()["w-1"]), ("duplicate_start", "working"))


def a_worker_is_expected_once(bench: ServerBench) -> None:
    """Expecting a second worker of the same id raises."""
    identity = bench.expect("w-1")
    _raises(
        WorkerExpectedTwiceError, lambda: bench.server.expect(identity, Secret.generate(), 10**18)
    )


def a_wrong_hello_spends_nothing(bench: ServerBench) -> None:
    """Invalid hellos are reported with code and worker, and counted; a valid one is admitted."""
    identity, other = bench.expect("w-1"), bench.expect("w-other")
    stranger, wrong = bench.stranger(), _wrong_hellos(bench, identity, other)
    for refusal, named, raw in wrong:
        _equal((refusal, stranger.strike(raw)), (refusal, refusal))
        event = bench.event(Refused)
        _equal((f"{event.category}/{event.code}", event.worker_id), (refusal, named))
        _equal(set(bench.server.states().values()), {SessionState.EXPECTED})
    counted = {category: n for category, n in bench.server.refusals().items() if n}
    _equal(counted, Counter(refusal.partition("/")[0] for refusal, _, _ in wrong))
    bench.connect(identity)
    _equal(bench.event(WorkerHello).hello.worker_id, "w-1")


def a_recorded_hello_opens_nothing(bench: ServerBench) -> None:
    """A recorded hello is rejected as a replay or as too old, a new one as its token is used up."""
    identity = bench.expect("w-1", seconds=3600)
    traitor, stranger = bench.traitor(identity), bench.stranger()
    bench.event(WorkerHello)
    bench.event(WorkerMessage)
    _equal(stranger.strike(traitor.hello), "replay/replayed_nonce")
    _equal(stranger.strike(traitor.seal(_hello(identity), traitor.first_key)), "token/token_used")
    bench.clock.advance(bench.settings.ttl_seconds + 1)
    _equal(stranger.strike(traitor.hello), "freshness/outside_ttl")
    _equal([bench.event(Refused).worker_id for _ in range(3)], ["w-1"] * 3)
    _equal(bench.server.states(), {"w-1": SessionState.ACKED})
    traitor.stream.close()
    bench.event(WorkerLost)
    _equal(stranger.strike(traitor.seal(_hello(identity), traitor.first_key)), "token/token_used")


def an_expired_token_opens_nothing(bench: ServerBench) -> None:
    """A valid hello is rejected after the deadline of its token."""
    identity = bench.expect("w-1", seconds=1)
    bench.clock.advance(2)
    raw = forge(_hello(identity), _key(bench), **_place(bench))
    _equal(bench.stranger().strike(raw), "token/token_expired")


def what_is_wrong_on_an_open_session_is_dropped(bench: ServerBench) -> None:
    """Invalid messages are reported with code and counted; the session goes on unchanged."""
    traitor = bench.traitor(bench.expect("w-1"))
    bench.event(WorkerHello)
    bench.event(WorkerMessage)
    wrong = {
        b"\xff garbage": "malformed/undecodable",
        traitor.seal(Ready(), worker_id="w-2"): "identity/wrong_worker",
        traitor.seal(Ready(), session_id="old"): "identity/wrong_session",
        traitor.seal(Ready(), protocol_version=9): "version/version_mismatch",
        traitor.seal(Ready(), signature=b""): "signature/bad_signature",
        traitor.seal(Ready(), signature="é".encode() * 16): "signature/bad_signature",
        traitor.seal(Ready(), traitor.first_key): "signature/bad_signature",
        traitor.bundle: "identity/wrong_direction",
        traitor.seal(StartWork()): "identity/wrong_direction",
        traitor.seal(StopAck()): "protocol/ack_without_stop",
        traitor.seal(BundleAck()): "protocol/duplicate_ack",
    }
    for raw, refusal in wrong.items():
        traitor.stream.send(raw)
        _equal(bench.refusal(), refusal)
        _equal(bench.server.states(), {"w-1": SessionState.ACKED})
    late, right = traitor.seal(Heartbeat()), traitor.seal(Ready())
    traitor.stream.send(right)
    _equal(bench.event(WorkerMessage).message, Ready())
    for raw in (right, late):
        traitor.stream.send(raw)
        _equal(bench.refusal(), "replay/replayed_nonce")
    _equal(sum(bench.server.refusals().values()), len(wrong) + 2)


def a_message_in_order_is_never_too_late(bench: ServerBench) -> None:
    """Messages in order are accepted at any age, also after a suspension longer than the TTL."""
    traitor = bench.traitor(bench.expect("w-1"))
    bench.event(WorkerHello)
    bench.event(WorkerMessage)
    sealed = [traitor.seal(Heartbeat()) for _ in range(3)]
    bench.clock.advance(bench.settings.ttl_seconds + 1)
    for raw in sealed:
        traitor.stream.send(raw)
        _equal(bench.event(WorkerMessage).message, Heartbeat())
    traitor.stream.send(sealed[0])
    _equal(bench.refusal(), "replay/replayed_nonce")


def a_lost_worker_is_reported_once(bench: ServerBench) -> None:
    """The loss of a worker is reported once; the next event is about another worker."""
    channel = bench.connect(bench.expect("w-1"))
    bench.event(WorkerHello)
    bench.event(WorkerMessage)
    channel.close()
    _equal(bench.event(WorkerLost).worker_id, "w-1")
    bench.connect(bench.expect("w-2"))
    bench.event(WorkerHello)


_READY: Final = (Ready(), Heartbeat())


def _wrong_hellos(
    bench: ServerBench, identity: WorkerIdentity, neighbour: WorkerIdentity
) -> list[tuple[str, str, bytes]]:
    """Return `category/code`, worker id (empty if not known) and bytes of each invalid hello."""
    key, place, hello = _key(bench), _place(bench), _hello(identity)
    right = forge(hello, key, **place)
    huge = right + bytes(bench.settings.max_hello_bytes)
    old = bench.clock() - round((bench.settings.ttl_seconds + 1) * 1e9)
    backwards = token_key(bench.tokens["w-1"], SESSION, "w-1", Direction.TO_WORKER)
    # The hello of another worker, signed with the token of worker w-1.
    own = token_key(bench.tokens["w-1"], SESSION, neighbour.worker_id)
    next_door = {**place, "worker_id": neighbour.worker_id}
    nobody = {**place, "worker_id": "nobody"}
    moved, renamed = replace(hello, group="elsewhere"), replace(hello, worker_id="w-2")
    reborn, newer = replace(hello, incarnation=2), replace(hello, protocol_versions=(2, 3))
    return [
        ("malformed/bad_field", "", b""),
        ("malformed/undecodable", "", b"GET / HTTP/1.1\r\n\r\n"),
        ("malformed/undecodable", "", b"\xff\x00garbage"),
        ("malformed/unsigned_fields", "", right + b"\xf8\x07\x01"),
        ("malformed/unknown_kind", "", forge(hello, key, **place, kind=99)),
        ("malformed/undecodable", "", forge(hello, key, **place, body=b"\xff")),
        ("limit/oversized", "", huge),
        ("version/version_mismatch", "w-1", forge(hello, key, **place, protocol_version=2)),
        ("version/version_mismatch", "w-1", forge(newer, key, **place)),
        ("identity/wrong_session", "w-1", forge(hello, key, **{**place, "session_id": "old"})),
        ("identity/unknown_worker", "", forge(hello, key, **nobody)),
        ("identity/identity_mismatch", "w-1", forge(moved, key, **place)),
        ("identity/identity_mismatch", "w-1", forge(renamed, key, **place)),
        ("identity/identity_mismatch", "w-1", forge(reborn, key, **place)),
        ("identity/wrong_direction", "w-1", forge(hello, backwards, **place, direction=2)),
        ("signature/bad_signature", "w-1", forge(hello, backwards, **place)),
        ("signature/bad_signature", "w-1", forge(hello, key, **place, signature=b"")),
        ("signature/bad_signature", "w-other", forge(_hello(neighbour), own, **next_door)),
        ("freshness/outside_ttl", "w-1", forge(hello, key, **place, time_ns=old)),
        ("protocol/message_before_hello", "w-1", forge(Ready(), key, **place)),
    ]


def _hello(identity: WorkerIdentity) -> Hello:
    place = (identity.worker_id, identity.group, identity.index, identity.incarnation)
    return Hello((1,), *place, pid=1)


def _key(bench: ServerBench) -> Secret:
    return token_key(bench.tokens["w-1"], SESSION, "w-1")


def _place(bench: ServerBench) -> dict[str, Any]:
    return {"session_id": SESSION, "worker_id": "w-1", "clock": bench.clock}


def _until_ready(bench: ServerBench, worker_id: str) -> None:
    while bench.event(object) != WorkerMessage(worker_id, Ready()):
        continue


def _equal(found: object, expected: object) -> None:
    if found != expected:
        raise AssertionError(f"expected {expected!r}, found {found!r}")


def _raises(kind: type[Fault], call: Callable[[], object]) -> Fault:
    try:
        call()
    except kind as fault:
        return fault
    raise AssertionError(f"expected {kind.__name__}, but nothing was raised")


SERVER_CLAIMS: Final = (
    a_worker_goes_from_hello_to_its_last_word,
    the_bundle_comes_once_with_its_keys,
    an_order_out_of_turn_is_a_protocol_error,
    a_worker_is_expected_once,
    a_wrong_hello_spends_nothing,
    a_recorded_hello_opens_nothing,
    an_expired_token_opens_nothing,
    what_is_wrong_on_an_open_session_is_dropped,
    a_message_in_order_is_never_too_late,
    a_lost_worker_is_reported_once,
)
"""The promises of `ControlServer`; name and docstring of each function state its claim."""
