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
    LossReason,
    Ready,
    WorkerIdentity,
)
from sk_control.testing import ManualClock, ServerBench, StrangersStream

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
