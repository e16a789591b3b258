"""What a claim works on: a server, its events, and everybody who dials it."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeVar

from sk_transport import KeyMaterial, Secret

from sk_control._bundle_keys import BootstrapKeyBundle
from sk_control._channel import ControlPlaneChannel
from sk_control._events import ControlEvent, LossReason, Refused
from sk_control._identity import WorkerIdentity
from sk_control._messages import BootstrapBundle, ControlMessage, Hello
from sk_control._session import SessionState
from sk_control._settings import ControlSettings
from sk_control.testing._clock import ManualClock
from sk_control.testing._stranger import Stranger
from sk_control.testing._traitor import Traitor

SESSION: Final = "session-1"
SOON: Final = 20.0
"""Seconds; a bound for what happens at once, on a busy machine too."""
DATA_KEY: Final = bytes(range(256))
"""The application key in every bundle of a bench: each byte once."""

Event = TypeVar("Event")


class ControlServerLike(Protocol):
    """What the supervisor's end is to its owner; `ControlServer` says what each method promises."""

    @property
    def address(self) -> str:
        """Where workers dial."""

    def expect(self, identity: WorkerIdentity, token: Secret, deadline_ns: int) -> None:
        """Open a place for one worker."""

    def send(self, worker_id: str, message: ControlMessage) -> None:
        """Sign and queue a message."""

    def start_work(self, required: Iterable[str]) -> None:
        """Send `StartWork` to all, if every one is ready."""

    def states(self) -> dict[str, SessionState]:
        """How far each session has come."""

    def refusals(self) -> dict[str, int]:
        """What was refused, by category."""

    def close(self) -> None:
        """End all streams and stop listening."""


class MakeServer(Protocol):
    """Makes a server that listens; the class `ControlServer` is one such maker."""

    def __call__(
        self,
        session_id: str,
        key_material: KeyMaterial,
        *,
        workers: int,
        bundle_for: Callable[[Hello], BootstrapBundle],
        on_event: Callable[[ControlEvent], None],
        settings: ControlSettings,
        clock: Callable[[], int],
    ) -> ControlServerLike:
        """Make one."""


class ServerBench:
    """A server under a clock that stands, with room for four workers. A context manager."""

    session_id: Final = SESSION

    def __init__(self, make_server: MakeServer, settings: ControlSettings | None = None) -> None:
        self.clock = ManualClock()
        self.settings = settings or ControlSettings()
        self.tokens: dict[str, Secret] = {}
        self._events: queue.SimpleQueue[ControlEvent] = queue.SimpleQueue()
        self._stack = ExitStack()
        self.server = make_server(
            SESSION,
            KeyMaterial.generated(),
            workers=4,
            bundle_for=_bundle,
            on_event=self._events.put,
            settings=self.settings,
            clock=self.clock,
        )
        self._stack.callback(self.server.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def event(self, kind: type[Event]) -> Event:
        """Return the next event; `AssertionError` unless it is of that kind, and comes."""
        try:
            event = self._events.get(timeout=SOON)
        except queue.Empty:
            raise AssertionError(f"expected {kind.__name__}, but nothing happened") from None
        if not isinstance(event, kind):
            raise AssertionError(f"expected {kind.__name__}, got {event!r}")
        return event

    def refusal(self) -> str:
        """`category/code` of the next event, which must be a refusal."""
        event = self.event(Refused)
        return f"{event.category}/{event.code}"

    def expect(self, worker_id: str, seconds: float = 60.0) -> WorkerIdentity:
        """Open a place, with a token of its own."""
        identity = WorkerIdentity(worker_id, "features", 0, 1)
        token = self.tokens[worker_id] = Secret.generate()
        self.server.expect(identity, token, self.clock() + round(seconds * 1e9))
        return identity

    def connect(self, identity: WorkerIdentity, **options: Any) -> ControlPlaneChannel:
        """Dial as an honest worker; what it is told goes nowhere unless `options` say so."""
        options.setdefault("on_message", _ignore)
        options.setdefault("on_lost", _ignore)
        options.setdefault("token", self.tokens.get(identity.worker_id, Secret.generate()))
        channel = ControlPlaneChannel.connect(
            self.server.address,
            SESSION,
            identity,
            timeout_seconds=SOON,
            settings=self.settings,
            clock=self.clock,
            **options,
        )
        self._stack.callback(channel.close)
        return channel

    def stranger(self) -> Stranger:
        """Dial as nobody."""
        return self._stack.enter_context(Stranger(self.server.address))

    def traitor(self, identity: WorkerIdentity) -> Traitor:
        """Dial, join, and be ready to break the rules."""
        return Traitor(
            self.stranger(),
            SESSION,
            identity,
            self.tokens[identity.worker_id],
            clock=self.clock,
            settings=self.settings,
        )


def _bundle(hello: Hello) -> BootstrapBundle:
    return BootstrapBundle(
        run_id="run-1",
        scenario_id="scenario-1",
        group=hello.group,
        worker_index=hello.index,
        incarnation=hello.incarnation,
        discovery_modules=("app.nodes",),
        application=b"{}",
        data_host="127.0.0.1",
        data_port=4242,
        heartbeat_seconds=2.5,
        keys=BootstrapKeyBundle({"data": Secret(DATA_KEY)}),
    )


def _ignore(_: ControlMessage | LossReason) -> None:
    """Take a message or a loss and do nothing."""
