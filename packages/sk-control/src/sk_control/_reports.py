"""The messages in which a worker reports: how far it has come, how it ended, what its spans became.

Values, checked when they are made, as those of `_messages`.
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


@value(frozen=True, slots=True)
class Heartbeat:
    """Worker: still here."""

    progress: Progress | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.progress, Progress | None):
            raise InvalidFieldError("heartbeat", "progress", "a Progress or nothing")


class DrainOutcome(IntEnum):
    """Why there is nothing more to come; the numbers are those of control.proto."""

    COMPLETE = 1
    STOPPED = 2


@value(frozen=True, slots=True)
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


@value(frozen=True, slots=True)
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


@value(frozen=True, slots=True)
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


@value(frozen=True, slots=True)
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
