"""The control messages as values, checked when they are made, by a caller or from the wire.

Here are those of a worker's coming and going; what it reports in between is in `_reports`. Every
constructor raises `InvalidFieldError` for a field that is out of its range. Names have 1 to 256
characters, free text up to 4096; counts are unsigned 64-bit integers.
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from sk_control import _fields as check
from sk_control._bundle_keys import BootstrapKeyBundle
from sk_control._reports import Drained, Failed, Heartbeat, Progress, SpanCounts
from sk_control._value import value
from sk_control.errors import InvalidFieldError


@value(frozen=True, slots=True)
class Hello:
    """Worker: who I am, and which protocol versions I speak. `incarnation` counts from 1."""

    protocol_versions: tuple[int, ...]
    worker_id: str
    group: str
    index: int
    incarnation: int
    pid: int

    def __post_init__(self) -> None:
        check.wholes("hello", "protocol_versions", self.protocol_versions)
        check.name("hello", "worker_id", self.worker_id)
        check.name("hello", "group", self.group)
        check.whole("hello", "index", self.index, 0, check.UINT32_MAX)
        check.whole("hello", "incarnation", self.incarnation, 1, check.UINT32_MAX)
        check.whole("hello", "pid", self.pid, 1)


@value(frozen=True, slots=True)
class BootstrapBundle:
    """Supervisor, once per worker: everything that a worker is built from.

    `application` is the supervisor's own JSON and opaque here; as settings may hold secrets it is
    not part of the repr.
    """

    run_id: str
    scenario_id: str
    group: str
    worker_index: int
    incarnation: int
    discovery_modules: tuple[str, ...]
    application: bytes = field(repr=False)
    data_host: str
    data_port: int
    heartbeat_seconds: float
    keys: BootstrapKeyBundle = field(default_factory=BootstrapKeyBundle)

    def __post_init__(self) -> None:
        message = "bootstrap_bundle"
        check.name(message, "run_id", self.run_id)
        check.name(message, "scenario_id", self.scenario_id)
        check.name(message, "group", self.group)
        check.whole(message, "worker_index", self.worker_index, 0, check.UINT32_MAX)
        check.whole(message, "incarnation", self.incarnation, 1, check.UINT32_MAX)
        check.texts(message, "discovery_modules", self.discovery_modules)
        check.binary(message, "application", self.application)
        check.name(message, "data_host", self.data_host)
        check.whole(message, "data_port", self.data_port, 1, 65535)
        check.seconds(message, "heartbeat_seconds", self.heartbeat_seconds)
        if not isinstance(self.keys, BootstrapKeyBundle):
            raise InvalidFieldError(message, "keys", "a BootstrapKeyBundle")


@value(frozen=True, slots=True)
class BundleAck:
    """Worker: the bundle is here and its keys are in use. The channel sends it by itself."""


@value(frozen=True, slots=True)
class Ready:
    """Worker: built, connected, waiting for `StartWork`.

    `partial_outputs` names the files that hold its output until it is put in place.
    """

    partial_outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check.texts("ready", "partial_outputs", self.partial_outputs)


@value(frozen=True, slots=True)
class StartWork:
    """Supervisor: the gate is open, sources may be read."""


@value(frozen=True, slots=True)
class Stop:
    """Supervisor: stop; with `drain`, after what is in flight has been sent on. May be repeated."""

    drain: bool
    reason: str = ""

    def __post_init__(self) -> None:
        check.flag("stop", "drain", self.drain)
        check.text("stop", "reason", self.reason)


@value(frozen=True, slots=True)
class StopAck:
    """Worker: stopped; its last word. The end of its stream is no loss after this."""


@value(frozen=True, slots=True)
class PeerReplaced:
    """Supervisor: `worker_id` runs `group` now, in the place of a worker that has failed.

    `keys` are those that this worker shares with it, named as in the bootstrap bundle. May be
    repeated, and comes for each replacement.
    """

    group: str
    worker_id: str
    incarnation: int
    keys: BootstrapKeyBundle = field(default_factory=BootstrapKeyBundle)

    def __post_init__(self) -> None:
        check.name("peer_replaced", "group", self.group)
        check.name("peer_replaced", "worker_id", self.worker_id)
        check.whole("peer_replaced", "incarnation", self.incarnation, 1, check.UINT32_MAX)
        if not isinstance(self.keys, BootstrapKeyBundle):
            raise InvalidFieldError("peer_replaced", "keys", "a BootstrapKeyBundle")


ControlMessage: TypeAlias = (
    Hello
    | BootstrapBundle
    | BundleAck
    | Ready
    | Heartbeat
    | Progress
    | StartWork
    | Stop
    | StopAck
    | Drained
    | Failed
    | PeerReplaced
    | SpanCounts
)
"""Any message of the control plane."""
