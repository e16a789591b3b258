"""The messages in which a worker reports its progress, its end and its trace spans.

Like those of `_messages`, they are values that are checked when they are constructed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import IntEnum

from sk_control import _fields as check
from sk_control._metering import Metering
from sk_control._value import value
from sk_control.errors import InvalidFieldError


@value(frozen=True, slots=True)
class Progress:
    """From a worker: its progress since its start.

    Its nodes received `records_in` records, in `batches` batches, and it has sent on `records_out`.
    It has done its part of the first `source_records` records of the source, including those that
    did not come to this worker. `waiting` batches were received and are not finished.
    `dead_lettered` and `skipped` count the records that its nodes gave up, `requests` the requests
    that it has run. `state` and `position` are text for people, possibly empty; `metering` are its
    measurements. As in `Failed`, a `position` that is too long or not valid UTF-8 is made valid and
    not rejected: the name of a position must not make a live worker fail.
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
    source_records: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.metering, Metering | None):
            raise InvalidFieldError("progress", "metering", "a Metering or nothing")
        check.integer("progress", "records_in", self.records_in)
        check.integer("progress", "records_out", self.records_out)
        check.integer("progress", "batches", self.batches)
        check.text("progress", "state", self.state)
        object.__setattr__(self, "position", check.cut(self.position))
        check.text("progress", "position", self.position)
        check.integer("progress", "waiting", self.waiting)
        check.integer("progress", "dead_lettered", self.dead_lettered)
        check.integer("progress", "skipped", self.skipped)
        check.integer("progress", "requests", self.requests)
        check.integer("progress", "source_records", self.source_records)


@value(frozen=True, slots=True)
class Heartbeat:
    """From a worker, every `heartbeat_seconds` of its bundle: it is alive."""

    progress: Progress | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.progress, Progress | None):
            raise InvalidFieldError("heartbeat", "progress", "a Progress or nothing")


class DrainOutcome(IntEnum):
    """The reason why a worker has drained, with the numbers of `control.proto`."""

    COMPLETE = 1
    """Every input has ended."""
    STOPPED = 2
    """The worker was asked to stop before every input had ended."""


@value(frozen=True, slots=True)
class Drained:
    """From a worker: all of its output has been sent on, and nothing is in flight.

    `records_in` and `records_out` are as in `Progress`. `counters` are totals that the worker
    defines, by name, as signed 64-bit integers. `partial_outputs` names the files that contain its
    unfinished output; it is empty once the output is at its final place.
    """

    outcome: DrainOutcome
    records_in: int = 0
    records_out: int = 0
    counters: Mapping[str, int] = field(default_factory=dict)
    partial_outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.outcome, DrainOutcome):
            raise InvalidFieldError("drained", "outcome", "a DrainOutcome")
        check.integer("drained", "records_in", self.records_in)
        check.integer("drained", "records_out", self.records_out)
        check.signed_counts("drained", "counters", self.counters)
        check.texts("drained", "partial_outputs", self.partial_outputs)


@value(frozen=True, slots=True)
class Failed:
    """From a worker: it cannot go on. Only reports and a `StopAck` may follow.

    `category` is the stable category of the failure, `node` the node at fault or empty,
    `cause_type` the class of the exception, `message` its text without payload or secret,
    `trace_id` the trace of the record at fault, or empty. As a failure report must not be lost,
    `node`, `cause_type` and `message` are cut to 4096 characters and not rejected.
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
            object.__setattr__(self, name, check.cut(getattr(self, name)))
            check.text("failed", name, getattr(self, name))


@value(frozen=True, slots=True)
class ExporterCounts:
    """The results of one exporter of a worker for the trace spans that it received.

    `kind` is the kind of the exporter, `dropped` counts the lost spans by reason, and
    `close_failure` is the reason why closing it failed, or empty.
    """

    kind: str
    exported: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    close_failure: str = ""

    def __post_init__(self) -> None:
        check.name("span_counts", "exporters.kind", self.kind)
        check.integer("span_counts", "exporters.exported", self.exported)
        check.unsigned_counts("span_counts", "exporters.dropped", self.dropped)
        check.text("span_counts", "exporters.close_failure", self.close_failure)


@value(frozen=True, slots=True)
class SpanCounts:
    """From a worker: how many trace spans it has created, and what each exporter did with them.

    A worker that traces sends the first before `Ready`, so that the supervisor knows that counts
    are missing if it dies later. The last is `final`, sent after every exporter was closed.
    """

    created: int = 0
    exporters: tuple[ExporterCounts, ...] = ()
    final: bool = False

    def __post_init__(self) -> None:
        check.integer("span_counts", "created", self.created)
        if not isinstance(self.exporters, tuple) or not all(
            isinstance(one, ExporterCounts) for one in self.exporters
        ):
            raise InvalidFieldError("span_counts", "exporters", "a tuple of ExporterCounts")
        check.flag("span_counts", "final", self.final)
