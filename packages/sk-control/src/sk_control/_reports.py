"""The messages in which a worker reports: on its progress, its end and its trace spans.

They are values and checked when they are made, as those of `_messages`.
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
    """From a worker: how far it has come since it began.

    Its nodes were handed `records_in` records, in `batches`, and it has sent on `records_out`; it
    has done its part of the first `source_records` records of the source, whether any of them came
    here or not. `waiting` batches are here and not done with. `dead_lettered` and `skipped` count
    the records that its nodes gave up, `requests` the requests that it has run. `state` and
    `position` are text for people, possibly empty; `metering` is what it has measured. As with
    `Failed`, a `position` that is too long, or cannot be sent, is cut and not refused: a worker
    that stands somewhere with such a name lives.
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
    """From a worker, at the period that its bundle gives: it is alive."""

    progress: Progress | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.progress, Progress | None):
            raise InvalidFieldError("heartbeat", "progress", "a Progress or nothing")


class DrainOutcome(IntEnum):
    """Why a worker has drained. The numbers are those of `control.proto`."""

    COMPLETE = 1
    """Every input came to its end."""
    STOPPED = 2
    """The worker was asked to stop before that."""


@value(frozen=True, slots=True)
class Drained:
    """From a worker: all of its output has been sent on, and nothing is in flight.

    `records_in` and `records_out` are as in `Progress`; `counters` are totals of the worker's own,
    by name: signed 64-bit integers; `partial_outputs` names the files that hold its output, none
    where that is in place.
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
    `trace_id` the trace of the record at fault, or empty. As a failure report must get through,
    text beyond 4096 characters is cut and not refused.
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
    """What one exporter of a worker has done with the trace spans that it was given.

    `kind` is that of the exporter, `dropped` counts the spans that are lost, by reason, and
    `close_failure` says why it did not close, or is empty.
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
    """From a worker: how many trace spans it has made, and what each exporter did with them.

    A worker that traces sends the first before `Ready`, so that one that dies later is known to
    owe an account; the last is `final`, sent when every exporter is closed.
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
