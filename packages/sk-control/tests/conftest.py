"""A control server with its owner, workers that dial it, and strangers that do so too."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, TypeVar

import pytest
from sk_control import (
    BootstrapBundle,
    BootstrapKeyBundle,
    ControlEvent,
    ControlMessage,
    ControlPlaneChannel,
    ControlServer,
    ControlSettings,
    Direction,
    Hello,
    LossReason,
    Ready,
    WorkerIdentity,
)
from sk_control.testing import ManualClock, Stranger, StrangersStream, token_key
from sk_transport import KeyMaterial, Secret

SESSION = "session-1"
DEADLINE = 20.0
SECOND = 10**9

Event = TypeVar("Event")


class Worker:
    """A connected worker with what it was told."""

    def __init__(self) -> None:
        self.inbox: queue.SimpleQueue[ControlMessage] = queue.SimpleQueue()
        self.lost: queue.SimpleQueue[LossReason] = queue.SimpleQueue()
        self.channel: ControlPlaneChannel

    def receive(self) -> ControlMessage:
        return self.inbox.get(timeout=DEADLINE)


class Control:
    """A server, its events, and everything that a test needs to dial it."""

    def __init__(self, stack: ExitStack, clock: ManualClock, **options: Any) -> None:
        self._stack, self.clock = stack, clock
        self.events: queue.SimpleQueue[ControlEvent] = queue.SimpleQueue()
        self.tokens: dict[str, Secret] = {}
        self.settings: ControlSettings = options.pop("settings", ControlSettings())
        options.setdefault("bundle_for", make_bundle)
        options.setdefault("on_event", self.events.put)
        options.setdefault("workers", 4)
        self.server = ControlServer(
            SESSION, KeyMaterial.generated(), settings=self.settings, clock=clock, **options
        )
        stack.callback(self.server.close)

    def event(self, kind: type[Event]) -> Event:
        """Return the next event, which must be of that kind."""
        event = self.events.get(timeout=DEADLINE)
        assert isinstance(event, kind), event
        return event

    def expect(self, worker_id: str, seconds: float = 60.0) -> WorkerIdentity:
        identity = WorkerIdentity(worker_id, "features", 0, 1)
        self.tokens[worker_id] = Secret.generate()
        deadline_ns = self.clock.now_ns + round(seconds * SECOND)
        self.server.expect(identity, self.tokens[worker_id], deadline_ns)
        return identity

    def connect(self, identity: WorkerIdentity, **options: Any) -> Worker:
        worker = Worker()
        options.setdefault("token", self.tokens.get(identity.worker_id, Secret.generate()))
        options.setdefault("on_message", worker.inbox.put)
        options.setdefault("on_lost", worker.lost.put)
        worker.channel = ControlPlaneChannel.connect(
            self.server.address,
            options.pop("session_id", SESSION),
            identity,
            timeout_seconds=options.pop("timeout_seconds", DEADLINE),
            settings=self.settings,
            clock=self.clock,
            **options,
        )
        self._stack.callback(worker.channel.close)
        return worker

    def ready_worker(self, worker_id: str) -> Worker:
        """Expect, connect and say ready; the three events of that are taken off."""
        worker = self.connect(self.expect(worker_id))
        worker.channel.send(Ready())
        for _ in range(3):
            self.events.get(timeout=DEADLINE)
        return worker

    def stranger(self) -> Stranger:
        """Connect without keys."""
        return self._stack.enter_context(Stranger(self.server.address))

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
        return token_key(token, SESSION, worker_id, direction)


def make_bundle(hello: Hello) -> BootstrapBundle:
    return BootstrapBundle(
        run_id="run-1",
        scenario_id="scenario-1",
        group=hello.group,
        worker_index=hello.index,
        incarnation=hello.incarnation,
        discovery_modules=("app.nodes", "app.state"),
        application=b'{"setting": "quiet-please"}',
        data_host="127.0.0.1",
        data_port=4242,
        heartbeat_seconds=2.5,
        keys=BootstrapKeyBundle({"data": Secret(bytes(range(256)))}),
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make_control(clock: ManualClock) -> Iterator[Callable[..., Control]]:
    with ExitStack() as stack:
        yield lambda **options: Control(stack, clock, **options)


@pytest.fixture
def control(make_control: Callable[..., Control]) -> Control:
    return make_control()
