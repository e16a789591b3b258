"""The workers of a run, as the supervisor knows them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sk_control import Drained, DrainOutcome, Metering
from sk_kernel import EventRail, GroupStatus, Progress, Totals, WorkerStatus
from sk_observability import EventName

from sk_supervisor._evidence import Breakage, Evidence, facts
from sk_supervisor._failures import CRASH
from sk_supervisor._judgement import HEARTBEATS, Counts, Silence, Standstill
from sk_supervisor._ladder import Rung
from sk_supervisor._lifecycle import (
    Event,
    GroupEvent,
    GroupLife,
    Life,
    State,
    Transition,
    advance,
    overall,
    regroup,
    step,
)
from sk_supervisor._metering import totals_by_place, totals_of
from sk_supervisor._process import WorkerProcess
from sk_supervisor._resident import resident_bytes
from sk_supervisor._vitals import Vitals
from sk_supervisor.errors import RuntimeWorkerFailedError

if TYPE_CHECKING:
    from sk_config import GroupConfig


@dataclass(slots=True)
class WorkerRecord:
    """One incarnation of a worker: its process, its life, and what it last said."""

    worker_id: str
    group: GroupConfig
    process: WorkerProcess
    start_by: float
    spawned_at: float
    index: int = 0
    incarnation: int = 1
    lost_by: float | None = None
    """Its session was lost: its exit is waited for until then."""
    life: Life = field(default_factory=Life)
    progress: Progress = field(init=False)
    silence: Silence = field(init=False)
    standstill: Standstill = field(init=False)
    drained: Drained | None = None
    breakage: Breakage | None = None
    evidence: Evidence = field(default_factory=Evidence)
    failed_in: State | None = None
    partial_outputs: tuple[str, ...] = ()
    rung: Rung = Rung.NONE
    dead_lettered: int = 0
    skipped: int = 0
    metering: Metering = field(default_factory=Metering)
    gave_up: str = ""
    """Why nobody takes its place, where its group's workers are restarted."""

    def __post_init__(self) -> None:
        self.progress = Progress(self.group.name)
        self.silence = Silence(HEARTBEATS * self.group.heartbeat_seconds, self.spawned_at)
        self.standstill = Standstill(self.group.stuck_after_seconds, self.spawned_at)

    @property
    def state(self) -> State:
        """Where it is; only :class:`Roster` changes it, by the table."""
        return self.life.state

    @property
    def mode(self) -> str:
        """How it came to its end: ``graceful``, ``forced``, or ``exited`` unasked."""
        if self.rung >= Rung.TERMINATE:
            return "forced"
        return "exited" if self.rung is Rung.NONE else "graceful"

    def counted(self, counts: Counts) -> None:
        """Note its last word of its progress."""
        done = counts.records_in, counts.records_out, counts.batches
        lost = self.dead_lettered, self.skipped
        state = self.progress.state
        self.progress = Progress(self.group.name, *done, state, *lost, counts.requests)

    def totals(self) -> Totals:
        """What this incarnation has done, as it last said."""
        passed_on = self.progress.records_out
        return totals_of(self.metering, passed_on, self.dead_lettered, self.skipped)

    def status(self, now: float, totals: Totals) -> WorkerStatus:
        """It as it is at ``now``, in seconds of the monotonic clock.

        :param totals: those of its place.
        """
        process, progress, moved = self.process, self.progress, self.standstill.moved_at
        return WorkerStatus(
            worker_id=self.worker_id,
            pid=process.pid,
            os_pid=process.pid,
            alive=process.alive,
            ready=self.state in (State.READY, State.RUNNING),
            state=str(self.state),
            index=self.index,
            incarnation=self.incarnation,
            records_in=progress.records_in,
            records_out=progress.records_out,
            batches=progress.batches,
            dead_lettered=self.dead_lettered,
            skipped=self.skipped,
            requests=progress.requests,
            waiting=self.standstill.counts.waiting,
            stuck=self.standstill.stuck,
            heard_age_seconds=max(0.0, now - self.silence.since),
            progress_age_seconds=None if moved is None else max(0.0, now - moved),
            age_seconds=max(0.0, now - self.spawned_at),
            rss_bytes=resident_bytes(process.pid) if process.alive else None,
            category=self.breakage.category if self.breakage else "",
            ended=process.ended(),
            rung=self.rung.name.lower(),
            totals=totals,
            credit=self.metering.credit,
        )

    def unfinished_outputs(self) -> tuple[str, ...]:
        """Where it said that its output is, unless that is in place."""
        complete = self.drained is not None and self.drained.outcome is DrainOutcome.COMPLETE
        return () if complete else self.partial_outputs


#: How a worker may have come to its end, the best first.
_MODES = ("graceful", "exited", "forced")


class Roster:
    """Moves workers through the lifecycle table and emits what it says. The loop's thread only.

    Of each place in a group it holds the latest incarnation; :meth:`get` knows the others too.

    :param clean: takes what nobody may be shown out of a text.
    """

    def __init__(
        self,
        log: EventRail,
        on_change: Callable[[WorkerRecord], None],
        clean: Callable[[str], str] = str,
    ) -> None:
        self._log, self.changed, self._clean = log, on_change, clean
        self._records: dict[str, WorkerRecord] = {}
        self._places: dict[tuple[str, int], WorkerRecord] = {}
        self._groups: dict[str, GroupLife] = {}

    def add(self, record: WorkerRecord) -> None:
        """A worker was spawned; it takes the place of its predecessor, which has stopped."""
        group, place = record.group.name, (record.group.name, record.index)
        if group not in self._groups or place in self._places:
            self._groups[group] = GroupLife()
        self._records[record.worker_id] = self._places[place] = record
        self._emit(EventName.WORKER_SPAWNED, record, {"pid": record.process.pid})
        self.changed(record)

    def __iter__(self) -> Iterator[WorkerRecord]:
        return iter(self._places.values())

    def lives(self) -> Iterator[WorkerRecord]:
        """Every incarnation of every worker."""
        return iter(self._records.values())

    def get(self, worker_id: str) -> WorkerRecord | None:
        """The record of a worker; None for a stranger."""
        return self._records.get(worker_id)

    def apply(self, record: WorkerRecord, event: Event, **fields: Any) -> Transition | None:
        """Take one step of the table; None where it leads nowhere."""
        return self._step(record, event, fields)

    def _step(
        self, record: WorkerRecord, event: Event, fields: Mapping[str, Any], *, alone: bool = False
    ) -> Transition | None:
        record.life, transition = advance(record.life, event)
        if transition is None:
            return None
        if transition.emits is not None:
            self._emit(transition.emits, record, fields)
        if not alone:
            self._regroup(record.group.name)
        self.changed(record)
        return transition

    def broke(
        self,
        record: WorkerRecord,
        breakage: Breakage,
        event: Event = Event.BROKE,
        vitals: Vitals | None = None,
    ) -> Transition | None:
        """A worker failed; the first reason is kept, with its evidence. None where it was not new.

        Whatever is waited for (its exit, its last lines) has been waited for before.
        """
        transition = step(record.state, event)
        if transition is None or transition.state is not State.FAILED:
            return None
        message = self._clean(breakage.message)
        record.breakage, record.failed_in = replace(breakage, message=message), record.state
        tail, ended = record.process.tail(), record.process.ended()
        record.evidence = Evidence(ended, tail, record.standstill.counts, vitals)
        return self.apply(record, event, **facts(record.breakage, record.evidence))

    def released(self, record: WorkerRecord, *, followed: bool = False) -> None:
        """A worker's process is gone, and with it whatever was left of it.

        Where another follows it at once, its group has not stopped and does not say so. One that
        nobody asked to leave, and whose exit was not heard of yet, has crashed.
        """
        self.broke(record, Breakage(CRASH), Event.EXITED)
        rung, ended = record.rung.name.lower(), record.process.ended()
        fields = {"mode": record.mode, "rung": rung, "ended": ended}
        self._step(record, Event.RELEASED, fields, alone=followed)

    def ready_groups(self) -> set[str]:
        """The groups all of whose workers are ready or further."""
        late = {r.group.name for r in self if r.state not in (State.READY, State.RUNNING)}
        return {r.group.name for r in self} - late

    def in_order(self, groups: Iterable[str]) -> list[WorkerRecord]:
        """The workers, by the order of their groups."""
        rank = {name: i for i, name in enumerate(groups)}
        return sorted(self, key=lambda r: rank.get(r.group.name, len(rank)))

    def snapshot(self) -> tuple[GroupStatus, ...]:
        """The groups that were started, with their workers."""
        now = time.monotonic()
        totals = totals_by_place((r.group.name, r.index, r.totals()) for r in list(self.lives()))
        groups: dict[str, list[WorkerStatus]] = {}
        for record in list(self):
            place = record.group.name, record.index
            status = record.status(now, totals.get(place, Totals()))
            groups.setdefault(record.group.name, []).append(status)
        return tuple(
            GroupStatus(
                name=name,
                state=str(overall(State(w.state) for w in workers)),
                restarts=sum(w.incarnation - 1 for w in workers),
                workers=tuple(workers),
            )
            for name, workers in groups.items()
        )

    def _regroup(self, name: str) -> None:
        members = [r for r in self if r.group.name == name]
        self._groups[name], emits = regroup(self._groups[name], [r.state for r in members])
        if emits is None:
            return
        fields: dict[str, object] = {"workers": len(members)}
        if emits is GroupEvent.STOPPED:
            # The worst of its workers' is the group's.
            fields["mode"] = max((r.mode for r in members), key=_MODES.index)
        self._log.emit(emits, group=name, fields=fields)

    def _emit(self, name: EventName, record: WorkerRecord, fields: Mapping[str, Any]) -> None:
        told = record.breakage if name is EventName.WORKER_FAILED else None
        self._log.emit(
            name,
            group=record.group.name,
            worker=record.worker_id,
            fields=fields,
            trace_id=(told.trace_id or None) if told else None,
        )


def failure_error(record: WorkerRecord) -> RuntimeWorkerFailedError:
    """The typed error of a failed worker, with its evidence."""
    breakage, evidence = record.breakage or Breakage(CRASH), record.evidence
    return RuntimeWorkerFailedError(
        breakage.category,
        record.group.name,
        record.worker_id,
        ended=evidence.ended,
        node=breakage.node,
        cause_type=breakage.cause_type,
        message=breakage.message,
        stderr_tail=evidence.stderr_tail,
        told=breakage.told,
        vitals=str(evidence.vitals or ""),
        records_in=evidence.counts.records_in,
        records_out=evidence.counts.records_out,
        batches=evidence.counts.batches,
        gave_up=record.gave_up,
        trace_id=breakage.trace_id,
    )
