"""The control messages as values, checked when they are made, by a caller or from the wire.

Every constructor raises `InvalidFieldError` for a field that is out of its range. Names have 1 to
256 characters, free text up to 4096; counts are unsigned 64-bit integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

from sk_control import _fields as check
from sk_control._bundle_keys import BootstrapKeyBundle
from sk_control._metering import Metering
from sk_control._value import value
from sk_control.errors import InvalidFieldError


@value
@dataclass(frozen=True, slots=True, eq=False, repr=False)
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


@value
@dataclass(frozen=True, slots=True, eq=False, repr=False)
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


@value
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BundleAck:
    """Worker: the bundle is here and its keys are in use. The channel sends it by itself."""


@value
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ready:
    """Worker: built, connected, waiting for `StartWork`.

    `partial_outputs` names the files that hold its output until it is put in place.
    """

    partial_outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check.texts("ready", "partial_outputs", self.partial_outputs)


@value
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Progress:
    """Worker: how far it has come. `state` and `position` are its own words, possibly empty.

    `waiting` counts the batches that it has and is not done with, the one in work included;
    `dead_lettered` and `skipped` the records that its nodes gave up; `metering` what it measured;
    `requests` those whose records it has run.
    """

    records_in: int = 0
    records_out: int = 0
    batches: int = 0
    state: str = ""
    position: str = ""
    waiting: int = 0
    dead_lettered: int = 0
    skipped: int = 0
    metering: Metering | None = None
    requests: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.metering, Metering | None):
            raise InvalidFieldError("progress", "metering", "a Metering or nothing")
        check.whole("progress", "records_in", self.records_in)
        check.whole("progress", "records_out", self.records_out)
        check.whole("progress", "batches", self.batches)
        check.text("progress", "state", self.state)
        check.text("progress", "position", self.position)
        check.whole("progress", "waiting", self.waiting)
        check.whole("progress", "dead_lettered", self.dead_lettered)
        check.whole("progress", "skipped", self.skipped)
        check.whole("progress", "requests", self.requests)


@value
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Heartbeat:
    """Worker: still here."""

    progress: Progress | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.progress, Progress | None):
            raise InvalidFieldError("heartbeat", "progress", "a Progress or nothing")


@value
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StartWork:
    """Supervisor: the gate is open, sources may be read."""


@value
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stop:
    """Supervisor: stop; with `drain`, after what is in flight has been sent on. May be repeated."""

    drain: bool
    reason: str = ""

    def __post_init__(self) -> None:
        check.flag("stop", "drain", self.drain)
        check.text("stop", "reason", self.reason)


@value
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StopAck:
    """Worker: stopped; its last word. The end of its stream is no loss after this."""


class DrainOutcome(IntEnum):
    """Why there is nothing more to come; the numbers are those of control.proto."""

    COMPLETE = 1
    STOPPED = 2


@value
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Drained:
    """Worker: all output has been sent on and nothing is in flight.

    `COMPLETE`: every input came to its end. `STOPPED`: it was asked to stop before that. `counters`
    are the worker's own totals by name, signed 64-bit.
    """

    outcome: DrainOutcome
    records_in: int = 0
    records_out: int = 0
    counters: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.outcome, DrainOutcome):
            raise InvalidFieldError("drained", "outcome", "a DrainOutcome")
        check.whole("drained", "records_in", self.records_in)
        check.whole("drained", "records_out", self.records_out)
        check.counters("drained", "counters", self.counters)


@value
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Failed:
    """Worker: it cannot go on. Only reports and a `StopAck` may follow.

    `category` is the deterministic failure category, `node` the node at fault or empty,
    `cause_type` the class of the cause, `message` its sanitised text: neither payload nor secret.
    `trace_id` is the trace of the record at fault, or empty.
    Text beyond 4096 characters is cut, not refused: a failure report must get through.
    """

    category: str
    node: str = ""
    cause_type: str = ""
    message: str = ""
    trace_id: str = ""

    def __post_init__(self) -> None:
        check.name("failed", "category", self.category)
        check.text("failed", "trace_id", self.trace_id)
        for name in ("node", "cause_type", "message"):
            value = getattr(self, name)
            if isinstance(value, str):
                printable = value[: check.TEXT_LIMIT].encode(errors="replace").decode()
                object.__setattr__(self, name, printable)
            check.text("failed", name, getattr(self, name))


@value
@dataclass(frozen=True, slots=True, eq=False, repr=False)
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


@value
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ExporterCounts:
    """What has become of the spans that one exporter was given; `dropped` is by reason.

    `close_failure` is the reason why it did not close, or empty.
    """

    kind: str
    exported: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    close_failure: str = ""

    def __post_init__(self) -> None:
        check.name("span_counts", "exporters.kind", self.kind)
        check.whole("span_counts", "exporters.exported", self.exported)
        check.amounts("span_counts", "exporters.dropped", self.dropped)
        check.text("span_counts", "exporters.close_failure", self.close_failure)


@value
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SpanCounts:
    """Worker: how many spans it has made, and what has become of them at each exporter.

    The first one comes before `Ready` and opens the account, the last one is `final`: every
    exporter is closed. A worker that traces nothing sends none.
    """

    created: int = 0
    exporters: tuple[ExporterCounts, ...] = ()
    final: bool = False

    def __post_init__(self) -> None:
        check.whole("span_counts", "created", self.created)
        if not isinstance(self.exporters, tuple) or not all(
            isinstance(one, ExporterCounts) for one in self.exporters
        ):
            raise InvalidFieldError("span_counts", "exporters", "a tuple of ExporterCounts")
        check.flag("span_counts", "final", self.final)


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
