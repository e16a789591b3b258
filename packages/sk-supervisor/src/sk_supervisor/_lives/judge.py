"""Failing workers that exceed a time limit: for the start, silence, a stall or a lost session."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sk_kernel import EventRail

from sk_supervisor._lives.evidence import Breakage
from sk_supervisor._lives.failing import Failing
from sk_supervisor._lives.judgement import HEARTBEATS, Counts, StallChange
from sk_supervisor._lives.lifecycle import Event, step
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.roster import Roster
from sk_supervisor._lives.vitals import WORDS, ProcessLook, Vitals, look_at
from sk_supervisor._protocol import failures as category
from sk_supervisor._text.units import no_progress


class Judge:
    """Applies the time limits of each worker's group. The loop's thread only; it never waits.

    The lifecycle table determines which limit applies in which state: for example, only
    ``start_timeout_seconds`` applies to a slow start, because ``starting`` has no transition for
    silence.

    All times are seconds of the loop's clock.

    :param look: samples a process of the system, by its id; is given the time.
    """

    def __init__(
        self,
        roster: Roster,
        log: EventRail,
        failing: Failing,
        look: Callable[[int, float], ProcessLook] = look_at,
    ) -> None:
        self._roster, self._log, self._fail, self._look = roster, log, failing.fail, look

    def dues(self) -> Iterator[float]:
        """Yield the present deadlines of the workers, at which :meth:`judge` is to be called."""
        for record in self._roster:
            if step(record.state, Event.OVERDUE):
                yield record.start_by
            if step(record.state, Event.SILENT):
                yield record.silence.due
            if record.lost_by is not None and step(record.state, Event.BROKE):
                yield record.lost_by

    def judge(self, now: float) -> None:
        """Fail each worker that has exceeded a limit at ``now``; stalls are not checked.

        :meth:`progressed` checks those: a worker reports its lack of progress itself.
        """
        for record in self._roster:
            if step(record.state, Event.OVERDUE) and now >= record.start_by:
                seconds = record.group.start_timeout_seconds
                message = f"not ready within {seconds} s (start_timeout_seconds: {seconds})"
                self._fail(record, Breakage(category.TIMEOUT, message), Event.OVERDUE)
            if step(record.state, Event.SILENT) and now >= record.silence.due:
                self._silent(record, now)
            if record.lost_by is not None and now >= record.lost_by:
                self._fail(record, Breakage(category.CRASH, "its control session was lost"))

    def heard(self, heard: Callable[[str], float | None], now: float) -> None:
        """Note which workers were heard since the last call.

        :param heard: returns when a worker was heard, by its id; later than ``now`` for a message
            that came before a suspension of this process was noticed.
        """
        for record in self._roster:
            at = heard(record.worker_id)
            if at is not None:
                record.silence.heard(min(at, now))

    def progressed(self, record: WorkerRecord, counts: Counts, now: float) -> None:
        """Check a worker's reported progress; emit an event when a stall begins or ends with it.

        If the group has ``on_stuck: fail``, the beginning of a stall fails the worker.
        """
        standstill = record.standstill
        change = standstill.said(counts, now)
        if change is None and step(record.state, Event.STUCK) and standstill.wants_look(now):
            change = standstill.looked(self._look(record.process.pid, now))
        if change is None:
            return
        self._tell(record, change)
        if change.stuck and record.group.on_stuck == "fail":
            limit, waiting = record.group.stuck_after_seconds or 0, counts.waiting
            message = no_progress(change.seconds, limit, waiting, record.position)
            self._fail_as(record, category.STUCK, message, Event.STUCK, change.vitals)

    def _silent(self, record: WorkerRecord, now: float) -> None:
        """Sample the process of a silent worker; at the second sample, fail the worker."""
        vitals = record.silence.looked(self._look(record.process.pid, now))
        if vitals is not None:
            limit = f"({HEARTBEATS} x heartbeat_seconds: {record.group.heartbeat_seconds})"
            message = f"no heartbeat for {now - record.silence.since:.1f} s {limit}"
            self._fail_as(record, category.HEARTBEAT, message, Event.SILENT, vitals)

    def _fail_as(
        self, record: WorkerRecord, kind: str, message: str, event: Event, vitals: Vitals | None
    ) -> None:
        doing = f": {WORDS[vitals]}" if vitals else ""
        self._fail(record, Breakage(kind, message + doing), event, vitals)

    def _tell(self, record: WorkerRecord, change: StallChange) -> None:
        facts: dict[str, object] = {"seconds": round(change.seconds, 3)}
        if change.vitals is not None:
            facts |= {"waiting": record.standstill.counts.waiting, "vitals": str(change.vitals)}
            facts |= {"position": record.position} if record.position else {}
        name = "worker_stuck" if change.stuck else "worker_unstuck"
        self._log.emit(name, group=record.group.name, worker=record.worker_id, fields=facts)
