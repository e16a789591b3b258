"""A control server with its owner, workers that dial it, and strangers that do so too."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, TypeVar

import grpc
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
from sk_control._control_keys import DirectionKeys, token_keys
from sk_control._grpc import METHOD_PATH
from sk_control._outbox import Outbox
from sk_control._seal import Sealer
from sk_transport import KeyMaterial, Secret

SESSION = "session-1"
DEADLINE = 20.0
SECOND = 10**9

Event = TypeVar("Event")


class ManualClock:
    """Nanoseconds that move when told."""

    def __init__(self, now_ns: int = 1_000 * SECOND) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns

    def advance(self, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND)


class Stranger:
    """A peer that speaks gRPC and sends what it likes on a stream of its own."""

    def __init__(self, address: str) -> None:
        self._outbox = Outbox()
        self._channel = grpc.insecure_channel(f"ipv4:{address}", [("grpc.enable_http_proxy", 0)])
        self.call: Any = self._channel.stream_stream(METHOD_PATH, None, None)(iter(self._outbox))

    def send(self, *raw: bytes) -> None:
        for message in raw:
            self._outbox.put(message)

    def hang_up(self) -> None:
        """Half-close: nothing more comes from here."""
        self._outbox.close()

    def receive(self) -> bytes:
        return next(self.call)

    def refusal(self) -> str:
        """Wait for the end of the stream; `category/code` of the refusal, or empty."""
        metadata = dict(self.call.trailing_metadata())
        return str(metadata.get("sk-refusal", ""))

    def close(self) -> None:
        self.call.cancel()
        self._outbox.close()
        self._channel.close()
        assert self._outbox.finished.wait(DEADLINE)


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
        stranger = Stranger(self.server.address)
        self._stack.callback(stranger.close)
        return stranger

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

    def sealer(self, worker_id: str, **changes: Any) -> Sealer:
        """Return what a holder of the worker's token signs with."""
        direction = changes.pop("direction", Direction.TO_SUPERVISOR)
        keys: DirectionKeys = token_keys(
            changes.pop("token", self.tokens.get(worker_id, Secret.generate())), SESSION, worker_id
        )
        fields = {"version": 1, "session_id": SESSION, "key": keys[direction], **changes}
        return Sealer(worker_id=worker_id, direction=direction, clock=self.clock, **fields)


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
