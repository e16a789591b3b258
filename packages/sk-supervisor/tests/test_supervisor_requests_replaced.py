"""Requests for a place whose worker was lost, while another one is on its way there."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from asked_app import Ask, Second
from asking import SHARED, asked
from sk_kernel import Envelope
from sk_supervisor import Service, serve
from supervisor_harness import Ears, until

PATIENCE = 30.0
AGAIN = {"restart": {"policy": "on_failure", "backoff_seconds": 0.01}}


@contextmanager
def replacing(ears: Ears, workers: int) -> Iterator[Service]:
    """A service with so many workers in the group ``two``, whose successors wait as they start."""
    changed = {"two": {**AGAIN, "workers": workers}}
    groups = [{**group, **changed.get(group["name"], {})} for group in SHARED]
    with serve(asked(groups, modules=("late_app", "asked_app", "asked_side"))) as service:
        yield service


@pytest.fixture(autouse=True)
def late(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SK_TEST_LATE", str(ears.port))


def fate(service: Service, ask: Ask) -> str:
    """What becomes of a request: its outcome's category, if it is no success."""
    return service.request(Envelope(ask), timeout_seconds=PATIENCE).wait().category


def test_they_fail_at_once_though_a_successor_died_as_it_started(ears: Ears) -> None:
    """Whether the caller sends them there, or another worker does."""
    with replacing(ears, workers=1) as service:
        assert fate(service, Second(1, do="kill:second")) == "transport"
        os.kill(ears.hear("two-0.2").pid, signal.SIGKILL)
        third = ears.hear("two-0.3")
        assert [fate(service, ask) for ask in (Second(1), Ask(1), Second(2))] == ["transport"] * 3
        third.let_go()
        until(lambda: fate(service, Ask(1)) != "transport", "those before it know of the third")
        assert fate(service, Second(1)) == ""


def test_without_a_key_they_go_to_the_workers_that_are_there(ears: Ears) -> None:
    with replacing(ears, workers=2) as service:
        assert fate(service, Second(1, do="kill:second")) == "transport"
        late = ears.hear_any()
        assert [fate(service, Second(n)) for n in range(4)] == [""] * 4
        late.let_go()
        until(lambda: len(workers_of(service)) == 2, "both are there again")


def workers_of(service: Service) -> set[int]:
    """The processes in which ``second`` has answered two requests."""
    waiters = [service.request(Envelope(Second(n)), timeout_seconds=PATIENCE) for n in range(2)]
    return {waiter.wait().payload.pids[0] for waiter in waiters}
