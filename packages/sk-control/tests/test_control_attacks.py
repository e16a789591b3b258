"""Strangers at the port, and a worker that joined them: refused, counted, without effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sk_control import (
    ControlSettings,
    Heartbeat,
    Ready,
    Refused,
    SessionState,
    WorkerHello,
    WorkerMessage,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Control


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
    traitor = control.traitor(identity)
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
