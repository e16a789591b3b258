"""The control messages as values, checked when they are constructed, also from the wire.

This module has the messages of a worker's start and stop; `_reports` has its reports. Every
constructor raises `InvalidFieldError` for a field that is out of range. Names have 1 to 256
characters, free text has up to 4096; counts are unsigned 64-bit integers.
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
    """From a worker, its first message: its identity and its protocol versions.

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

    `application` is JSON of the supervisor and opaque here; as it may contain secrets, it is not in
    the repr. The worker connects its data channel to `data_host` and `data_port`, signs there with
    `keys`, and sends a `Heartbeat` every `heartbeat_seconds`.
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
    """From a worker: it has its bundle and uses its keys. The channel sends this by itself."""


@value(frozen=True, slots=True)
class Ready:
    """From a worker: it is built and connected, and waits for `StartWork`.

    `partial_outputs` names the files that contain its output until the run is complete.
    """

    partial_outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check.texts("ready", "partial_outputs", self.partial_outputs)


@value(frozen=True, slots=True)
class StartWork:
    """From the supervisor: all required workers are ready, and sources may be read."""


@value(frozen=True, slots=True)
class Stop:
    """From the supervisor: stop; with `drain`, only after everything in flight has been sent on.

    No caller waits for requests any more: requests under way are given up. May be repeated.
    """

    drain: bool
    reason: str = ""

    def __post_init__(self) -> None:
        check.flag("stop", "drain", self.drain)
        check.text("stop", "reason", self.reason)


@value(frozen=True, slots=True)
class StopAck:
    """From a worker, its last message: it has stopped. The end of its stream is then no loss.

    `partial_outputs` names the files that contain its unfinished output at the end; it is empty
    once the output is at its final place.
    """

    partial_outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check.texts("stop_ack", "partial_outputs", self.partial_outputs)


@value(frozen=True, slots=True)
class PeerReplaced:
    """From the supervisor: `worker_id` has replaced a worker of `group` that has failed.

    It is sent to the workers that exchange batches with that worker. `keys` are the keys that the
    receiver shares with the new worker, named as in the bootstrap bundle. May be repeated.
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
