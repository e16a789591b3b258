"""Whose time is over: a start that takes too long, a silence, a standstill, a lost session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from sk_kernel import EventRail

from sk_supervisor import _failures as category
from sk_supervisor._evidence import Breakage
from sk_supervisor._judgement import Counts, Verdict
from sk_supervisor._lifecycle import Event, step
from sk_supervisor._roster import Roster, WorkerRecord
from sk_supervisor._vitals import WORDS, Look, Vitals, look_at


class Break(Protocol):
    """Takes in that a worker has failed, and by which event of its table."""

    def __call__(
        self,
        record: WorkerRecord,
        breakage: Breakage,
        event: Event = ...,
        vitals: Vitals | None = ...,
    ) -> None:
        """It has failed."""


class Judge:
    """Applies the limits of each worker's group. The loop's thread only; it never waits.

    Which limit counts in which state is the lifecycle table's to say: a slow start is judged by
    ``start_timeout_seconds``, since no row of ``starting`` knows of silence.

    :param look: looks at a process of the system: its id, and the time.
    """

    def __init__(
        self,
        roster: Roster,
        log: EventRail,
        break_worker: Break,
        look: Callable[[int, float], Look] = look_at,
    ) -> None:
        self._roster, self._log, self._break, self._look = roster, log, break_worker, look

    def dues(self) -> Iterator[float]:
        """When :meth:`judge` has something to do, as things are."""
        for record in self._roster:
            if step(record.state, Event.OVERDUE):
                yield record.start_by
            if step(record.state, Event.SILENT):
                yield record.silence.due
            if record.lost_by is not None and step(record.state, Event.BROKE):
                yield record.lost_by

    def judge(self, now: float) -> None:
        """Fail whoever is out of time at ``now``."""
        for record in self._roster:
            if step(record.state, Event.OVERDUE) and now >= record.start_by:
                self._overdue(record)
            if step(record.state, Event.SILENT) and now >= record.silence.due:
                self._silent(record, now)
            if record.lost_by is not None and now >= record.lost_by:
                self._break(record, Breakage(category.CRASH, "its control session was lost"))

    def forgive(self, seconds: float, now: float) -> None:
        """Nobody was listening for so long: that is no worker's fault."""
        for record in self._roster:
            record.silence.heard(now)
            record.standstill.since += seconds
            record.start_by += seconds
            if record.lost_by is not None:
                record.lost_by += seconds

    def said(self, record: WorkerRecord, counts: Counts, now: float) -> None:
        """A worker said how far it has come."""
        standstill = record.standstill
        verdict = standstill.said(counts, now)
        if verdict is None and step(record.state, Event.STUCK) and standstill.wants_look(now):
            verdict = standstill.looked(self._look(record.process.pid, now))
        if verdict is not None:
            self._tell(record, verdict)
        if verdict is not None and verdict.stuck and record.group.on_stuck == "fail":
            message = f"stood still for {verdict.seconds:.1f} s with work waiting"
            self._fail(record, category.STUCK, message, Event.STUCK, verdict.vitals)

    def _overdue(self, record: WorkerRecord) -> None:
        message = f"not ready within {record.group.start_timeout_seconds} s"
        self._break(record, Breakage(category.TIMEOUT, message), Event.OVERDUE)

    def _silent(self, record: WorkerRecord, now: float) -> None:
        vitals = record.silence.looked(self._look(record.process.pid, now))
        if vitals is not None:
            message = f"no heartbeat for {now - record.silence.since:.1f} s"
            self._fail(record, category.HEARTBEAT, message, Event.SILENT, vitals)

    def _fail(
        self, record: WorkerRecord, kind: str, message: str, event: Event, vitals: Vitals | None
    ) -> None:
        doing = f": {WORDS[vitals]}" if vitals else ""
        self._break(record, Breakage(kind, message + doing), event, vitals)

    def _tell(self, record: WorkerRecord, verdict: Verdict) -> None:
        facts: dict[str, object] = {"seconds": round(verdict.seconds, 3)}
        if verdict.vitals is not None:
            facts |= {"waiting": record.standstill.counts.waiting, "vitals": str(verdict.vitals)}
        name = "worker_stuck" if verdict.stuck else "worker_unstuck"
        self._log.emit(name, group=record.group.name, worker=record.worker_id, fields=facts)
