"""A control server with its owner, workers that dial it, and strangers that do so too."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sk_control import (
    ControlMessage,
    ControlPlaneChannel,
    ControlServer,
    Direction,
    Hello,
    LossReason,
    Ready,
    WorkerIdentity,
)
from sk_control.testing import ManualClock, ServerBench, StrangersStream, token_key
from sk_transport import Secret

DEADLINE = 20.0


class Worker:
    """A connected worker with what it was told."""

    def __init__(self) -> None:
        self.inbox: queue.SimpleQueue[ControlMessage] = queue.SimpleQueue()
        self.lost: queue.SimpleQueue[LossReason] = queue.SimpleQueue()
        self.channel: ControlPlaneChannel

    def receive(self) -> ControlMessage:
        return self.inbox.get(timeout=DEADLINE)


class Control(ServerBench):
    """A bench of a server that is made with any options, and whose workers have an inbox."""

    def __init__(self, **options: Any) -> None:
        settings = options.pop("settings", None)
        super().__init__(lambda *a, **given: ControlServer(*a, **{**given, **options}), settings)

    def connect(self, identity: WorkerIdentity, **options: Any) -> Worker:
        worker = Worker()
        told = {"on_message": worker.inbox.put, "on_lost": worker.lost.put}
        worker.channel = super().connect(identity, **{**told, **options})
        return worker

    def ready_worker(self, worker_id: str) -> Worker:
        """Expect, connect and say ready; the three events of that are taken off."""
        worker = self.connect(self.expect(worker_id))
        worker.channel.send(Ready())
        for _ in range(3):
            self.events.get(timeout=DEADLINE)
        return worker

    def stream(self) -> StrangersStream:
        """Open a stream on a connection of its own, without keys."""
        return self.stranger().open()

    def hello(self, identity: WorkerIdentity, **changes: Any) -> Hello:
        fields = {
            "protocol_versions": (1,),
            "worker_id": identity.worker_id,
            "group": identity.group,
            "index": identity.index,
            "incarnation": identity.incarnation,
            "pid": 4711,
        }
        return Hello(**{**fields, **changes})

    def token_key(self, worker_id: str, direction: Direction = Direction.TO_SUPERVISOR) -> Secret:
        """Return what a holder of the worker's token signs with."""
        token = self.tokens.get(worker_id, Secret.generate())
        return token_key(token, self.session_id, worker_id, direction)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make_control() -> Iterator[Callable[..., Control]]:
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Control(**options))


@pytest.fixture
def control(make_control: Callable[..., Control]) -> Control:
    return make_control()
