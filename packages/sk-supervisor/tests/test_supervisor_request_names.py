"""A caller's trace id is a name among callers, and never one of a request among the nodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asked_app import Ask
from asking import ONE, Gate, asked
from sk_kernel import Envelope, ReplyWaiter, TerminalEvent
from sk_supervisor import Service, serve
from sk_supervisor._requests.flights import name_of

PATIENCE = 30.0


@pytest.fixture(params=[None, ONE], ids=["memory", "processes"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """A run of which nobody has asked anything yet."""
    groups: Any = request.param
    with serve(asked(groups)) as service:
        yield service


@pytest.fixture
def held(service: Service, tmp_path: Path) -> Iterator[Held]:
    """That run, with a first request in a node's hands."""
    held = Held(service, tmp_path)
    yield held
    held.let_go()  # behind a test that failed, too: a run waits for its nodes


class Held:
    """A run that has a request which is answered when it is let go."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service, self._gate = service, Gate(folder)
        self._reached = False

    def asked(self, trace_id: str | None = None) -> ReplyWaiter:
        """The request; given when it is with the node."""
        ask = Ask(1, do="wait:last", gate=self._gate.path)
        waiter = self.service.request(Envelope(ask, trace_id))
        self._gate.reached()
        self._reached = True
        return waiter

    def let_go(self) -> None:
        """Have it answered. More than once: nothing."""
        if self._reached:
            self._reached = False
            self._gate.open()


def answer(outcome: TerminalEvent) -> tuple[str, int]:
    assert outcome.status == "success", outcome
    return outcome.trace_id, outcome.payload.n


def test_nobody_is_given_what_comes_of_a_request_by_the_name_that_it_has_among_the_nodes(
    held: Held,
) -> None:
    first = held.asked()
    assert first.wait(0).status == "timeout"  # and it is with the nodes all the same
    name = name_of(1)
    other = held.service.request(Envelope(Ask(2), trace_id=name))
    held.let_go()
    assert answer(other.wait(PATIENCE)) == (name, 4)
    assert held.service.status().requests.late_reply_drop == 1


def test_a_trace_id_is_in_nobody_elses_way_whatever_it_is(held: Held) -> None:
    name = name_of(2)
    first = held.asked(name)
    second = held.service.request(Envelope(Ask(2)))
    held.let_go()
    assert answer(first.wait(PATIENCE)) == (name, 2)
    assert answer(second.wait(PATIENCE)) == (second.trace_id, 4)


def test_a_trace_id_that_is_used_again_gives_each_request_its_own_answer(held: Held) -> None:
    held.asked("t").cancel()
    later = held.service.request(Envelope(Ask(2), trace_id="t"))
    held.let_go()
    assert answer(later.wait(PATIENCE)) == ("t", 4)
