"""A worker dials its supervisor: after which refusals it dials again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from sk_control import ControlServer, HelloRefusedError, WorkerHello
from sk_control.testing import ServerBench
from sk_supervisor._worker import control_dial
from sk_supervisor._worker.control_dial import dial_supervisor

LATE_NS = 3600 * 10**9


class SlowClock:
    """The clock of this machine, which for its first readers has an hour to catch up."""

    def __init__(self) -> None:
        self.late_readers = 0

    def __call__(self) -> int:
        late, self.late_readers = self.late_readers > 0, max(self.late_readers - 1, 0)
        return time.monotonic_ns() - (LATE_NS if late else 0)


@pytest.fixture
def clock() -> SlowClock:
    return SlowClock()


@pytest.fixture
def server(clock: SlowClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerBench]:
    """A control server whose clock is that of the workers, but for its first readers."""
    monkeypatch.setattr(control_dial, "leave_at_once", lambda _: None)  # this is no worker
    with ServerBench(lambda *a, **given: ControlServer(*a, **{**given, "clock": clock})) as bench:
        bench.clock.now_ns = time.monotonic_ns()
        yield bench


def assignment(server: ServerBench, **changes: Any) -> dict[str, Any]:
    """What the spawn pipe of an expected worker carries."""
    identity = server.expect("w-1", seconds=LATE_NS / 1e9)
    return {
        "token": server.tokens["w-1"].reveal().hex(),
        "worker_id": identity.worker_id,
        "group": identity.group,
        "index": identity.index,
        "incarnation": identity.incarnation,
        "address": server.server.address,
        "session_id": server.session_id,
        "deadline_seconds": 60.0,
        "control": {},
        **changes,
    }


def test_a_hello_that_is_outside_of_its_time_is_said_again(
    server: ServerBench, clock: SlowClock
) -> None:
    told = assignment(server)
    clock.late_readers = 1
    dial_supervisor(told, lambda _: None).close()
    assert server.refusal() == "freshness/outside_ttl"
    assert server.event(WorkerHello).hello.worker_id == "w-1"


def test_a_hello_that_is_always_outside_of_its_time_is_refused_at_last(
    server: ServerBench, clock: SlowClock
) -> None:
    told = assignment(server)
    clock.late_readers = 1000
    with pytest.raises(HelloRefusedError, match="outside_ttl"):
        dial_supervisor(told, lambda _: None)
    assert [server.refusal() for _ in range(4)] == ["freshness/outside_ttl"] * 4


def test_a_hello_that_is_refused_for_what_it_says_is_not_said_again(server: ServerBench) -> None:
    with pytest.raises(HelloRefusedError, match="bad_signature"):
        dial_supervisor(assignment(server, token="ab" * 32), lambda _: None)
    assert server.refusal() == "signature/bad_signature"
    assert server.events.empty()
