"""The control messages as values, checked when they are made, by a caller or from the wire.

Here are those of a worker's start and stop; what it reports in between is in `_reports`. Every
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
    """From a worker, its first message: who it is, and which protocol versions it speaks.

    `index` counts from 0, `incarnation` from 1, as in `WorkerIdentity`.
    """

    protocol_versions: tuple[int, ...]
    worker_id: str
    group: str
    index: int
    incarnation: int
    pid: int

    def __post_init__(self) -> None:
        check.versions("hello", "protocol_versions", self.protocol_versions)
        check.name("hello", "worker_id", self.worker_id)
        check.name("hello", "group", self.group)
        check.integer("hello", "index", self.index, 0, check.UINT32_MAX)
        check.integer("hello", "incarnation", self.incarnation, 1, check.UINT32_MAX)
        check.integer("hello", "pid", self.pid, 1)


@value(frozen=True, slots=True)
class BootstrapBundle:
    """From the supervisor, once per worker: everything that the worker is built from.

    `application` is the supervisor's own JSON and opaque here; it may hold secrets, and so is not
    in the repr. `data_host` and `data_port` are where the worker connects its data channel, `keys`
    what it signs there with. It sends a sign of life every `heartbeat_seconds`.
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
        check.integer(message, "worker_index", self.worker_index, 0, check.UINT32_MAX)
        check.integer(message, "incarnation", self.incarnation, 1, check.UINT32_MAX)
        check.texts(message, "discovery_modules", self.discovery_modules)
        check.binary(message, "application", self.application)
        check.name(message, "data_host", self.data_host)
        check.integer(message, "data_port", self.data_port, 1, 65535)
        check.seconds(message, "heartbeat_seconds", self.heartbeat_seconds)
        if not isinstance(self.keys, BootstrapKeyBundle):
            raise InvalidFieldError(message, "keys", "a BootstrapKeyBundle")


@value(frozen=True, slots=True)
class BundleAck:
    """From a worker: it has its bundle and uses the keys in it. The channel itself sends this."""


@value(frozen=True, slots=True)
class Ready:
    """From a worker: it is built and connected, and waits for `StartWork`.

    `partial_outputs` names the files that hold its output until the run is complete.
    """

    partial_outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check.texts("ready", "partial_outputs", self.partial_outputs)


@value(frozen=True, slots=True)
class StartWork:
    """From the supervisor: all required workers are ready, and sources may be read."""


@value(frozen=True, slots=True)
class Stop:
    """From the supervisor: stop; with `drain`, only when all that is in flight has been sent on.

    Nobody waits for requests by then: what is under way of them is given up. May be repeated.
    """

    drain: bool
    reason: str = ""

    def __post_init__(self) -> None:
        check.flag("stop", "drain", self.drain)
        check.text("stop", "reason", self.reason)


@value(frozen=True, slots=True)
class StopAck:
    """From a worker, its last message: it has stopped. The end of its stream is then no loss.

    `partial_outputs` names the files that hold its output, now that it has ended; none, where that
    is in place.
    """

    partial_outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check.texts("stop_ack", "partial_outputs", self.partial_outputs)


@value(frozen=True, slots=True)
class PeerReplaced:
    """From the supervisor: `worker_id` has replaced a worker of `group` that has failed.

    It goes to the workers that exchange batches with that one. `keys` are those that the addressee
    shares with the new worker, named as in the bootstrap bundle. May be repeated.
    """

    group: str
    worker_id: str
    incarnation: int
    keys: BootstrapKeyBundle = field(default_factory=BootstrapKeyBundle)

    def __post_init__(self) -> None:
        check.name("peer_replaced", "group", self.group)
        check.name("peer_replaced", "worker_id", self.worker_id)
        check.integer("peer_replaced", "incarnation", self.incarnation, 1, check.UINT32_MAX)
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
