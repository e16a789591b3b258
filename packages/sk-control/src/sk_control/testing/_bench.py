"""The test bench of the claims: a server with its events, and peers that connect to it."""

from __future__ import annotations

import queue
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final, Protocol, Self, TypeVar

from sk_transport import KeyMaterial, Secret

from sk_control._bundle_keys import BootstrapKeyBundle
from sk_control._channel import ControlPlaneChannel
from sk_control._events import ControlEvent, LossReason, Refused
from sk_control._identity import WorkerIdentity
from sk_control._messages import BootstrapBundle, ControlMessage, Hello
from sk_control._settings import ControlSettings
from sk_control._transitions import SessionState
from sk_control.testing._clock import ManualClock
from sk_control.testing._stranger import Stranger
from sk_control.testing._traitor import Traitor

SESSION: Final = "session-1"
SOON: Final = 20.0
"""Seconds to wait for something that should happen at once; long enough for a busy machine."""
DATA_KEY: Final = bytes(range(256))
"""The application key in every bundle of a bench: each byte value once."""

Event = TypeVar("Event")


class ControlServerLike(Protocol):
    """The interface of a server; `ControlServer` documents what each method promises."""

    @property
    def address(self) -> str:
        """The address that workers connect to."""

    def expect(self, identity: WorkerIdentity, token: Secret, deadline_ns: int) -> None:
        """Accept one hello of this worker."""

    def send(self, worker_id: str, message: ControlMessage) -> None:
        """Sign and queue a message."""

    def states(self) -> dict[str, SessionState]:
        """Return the state of each session, by worker id."""

    def refusals(self) -> dict[str, int]:
        """Return how many messages and streams were rejected, by category."""

    def close(self) -> None:
        """End all streams and stop listening."""


class MakeServer(Protocol):
    """Makes a server that listens. The class `ControlServer` itself conforms to this."""

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
        """Make a server; the arguments have the same meaning as those of `ControlServer`."""


class ServerBench:
    """A server for at most four workers, with a `ManualClock`, and its peers.

    A context manager that closes all of them. `events` holds the events that were not retrieved
    yet, `tokens` the tokens of the expected workers.
    """

    session_id: Final = SESSION

    def __init__(self, make_server: MakeServer, settings: ControlSettings | None = None) -> None:
        self.clock = ManualClock()
        self.settings = settings or ControlSettings()
        self.tokens: dict[str, Secret] = {}
        self.events: queue.SimpleQueue[ControlEvent] = queue.SimpleQueue()
        self._stack = ExitStack()
        self.server = make_server(
            SESSION,
            KeyMaterial.generated(),
            workers=4,
            bundle_for=_bundle,
            on_event=self.events.put,
            settings=self.settings,
            clock=self.clock,
        )
        self._stack.callback(self.server.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def event(self, kind: type[Event]) -> Event:
        """Wait for and return the next event; raise `AssertionError` if it is not of that kind."""
        try:
            event = self.events.get(timeout=SOON)
        except queue.Empty:
            raise AssertionError(f"expected {kind.__name__}, but nothing happened") from None
        if not isinstance(event, kind):
            raise AssertionError(f"expected {kind.__name__}, got {event!r}")
        return event

    def refusal(self) -> str:
        """Return `category/code` of the next event, which must be a `Refused`."""
        event = self.event(Refused)
        return f"{event.category}/{event.code}"

    def expect(self, worker_id: str, seconds: float = 60.0) -> WorkerIdentity:
        """Make the server expect a worker for `seconds` from now; put its token into `tokens`."""
        identity = WorkerIdentity(worker_id, "features", 0, 1)
        token = self.tokens[worker_id] = Secret.generate()
        self.server.expect(identity, token, self.clock() + round(seconds * 1e9))
        return identity

    def connect(self, identity: WorkerIdentity, **options: Any) -> ControlPlaneChannel:
        """Connect as a valid worker.

        `options` are those of `ControlPlaneChannel.connect`; callbacks that are not given ignore
        their arguments.
        """
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
        """Connect as an unauthenticated peer."""
        return self._stack.enter_context(Stranger(self.server.address))

    def traitor(self, identity: WorkerIdentity) -> Traitor:
        """Connect as an admitted worker that can then break the rules."""
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
        discovery_modules=("app.nodes", "app.state"),
        application=b'{"setting": "quiet-please"}',
        data_host="127.0.0.1",
        data_port=4242,
        heartbeat_seconds=2.5,
        keys=BootstrapKeyBundle({"data": Secret(DATA_KEY)}),
    )


def _ignore(_: ControlMessage | LossReason) -> None:
    """Ignore a message to a worker, or the loss of its supervisor."""
