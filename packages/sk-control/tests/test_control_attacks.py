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
def test_a_message_that_another_has_overtaken_is_refused_at_any_age(control: Control) -> None:
    """Whoever holds it back on its way cannot bring it in later."""
    traitor = control.traitor(control.expect("w-1"))
    control.event(WorkerHello)
    control.event(WorkerMessage)
    held_back, sent = traitor.seal(Heartbeat()), traitor.seal(Ready())
    traitor.stream.send(sent)
    control.event(WorkerMessage)
    for seconds in (0, 29, 31):
        control.clock.advance(seconds)
        traitor.stream.send(held_back)
        assert control.event(Refused).code == "replayed_nonce"
    assert control.server.states() == {"w-1": SessionState.READY}


def test_the_smallest_nonce_cache_and_ttl_refuse_nothing_of_a_healthy_run(
    make_control: Callable[..., Control],
) -> None:
    """They bound what opens a session, and that is one message of each worker."""
    control = make_control(settings=ControlSettings(nonce_capacity=1, ttl_seconds=1))
    one, other = control.ready_worker("w-1"), control.ready_worker("w-2")
    for worker in (one, other):
        for _ in range(20):
            control.clock.advance(60)
            worker.channel.send(Heartbeat())
            assert isinstance(control.event(WorkerMessage).message, Heartbeat)
    assert not any(control.server.refusals().values())
