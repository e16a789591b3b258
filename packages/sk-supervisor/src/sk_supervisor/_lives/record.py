"""What the supervisor knows of one worker: its process, its life, and what it last said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sk_control import Drained, DrainOutcome, Metering
from sk_kernel import Progress, Totals, WorkerStatus

from sk_supervisor._lives.evidence import Breakage, Evidence
from sk_supervisor._lives.judgement import HEARTBEATS, Counts, Silence, StallDetector
from sk_supervisor._lives.ladder import Rung
from sk_supervisor._lives.lifecycle import Life, State
from sk_supervisor._processes.process import WorkerProcess
from sk_supervisor._protocol.failures import CRASH
from sk_supervisor._protocol.frames import SinkEnd
from sk_supervisor._protocol.metering import totals_of
from sk_supervisor._system.resident import resident_bytes
from sk_supervisor.errors import RuntimeWorkerFailedError

if TYPE_CHECKING:
    from sk_config import GroupConfig


@dataclass(slots=True)
class WorkerRecord:
    """One incarnation of a worker. Times are those of :class:`LoopClock`."""

    worker_id: str
    group: GroupConfig
    process: WorkerProcess
    start_by: float
    """When it has taken too long to be ready."""
    spawned_at: float
    index: int = 0
    incarnation: int = 1
    lost_by: float | None = None
    """Its control session was lost: until then its exit, which says why, is waited for."""
    life: Life = field(default_factory=Life)
    progress: Progress = field(init=False)
    silence: Silence = field(init=False)
    standstill: StallDetector = field(init=False)
    drained: Drained | None = None
    sink_end: SinkEnd | None = None
    """How the sink has ended, if it is here; said before it is drained."""
    stopped: bool = False
    """Whether it has said its last word, where its output is."""
    left_hub: bool = False
    """Whether all that it has sent to the hub is read, and no more comes."""
    breakage: Breakage | None = None
    evidence: Evidence = field(default_factory=Evidence)
    failed_in: State | None = None
    """Where it was when it failed."""
    partial_outputs: tuple[str, ...] = ()
    rung: Rung = Rung.NONE
    """How far down the stop ladder it had to be taken so far."""
    dead_lettered: int = 0
    skipped_said: int = 0
    """How many records it has skipped, as it last said,"""
    skipped_with_batches: Callable[[str], int] = lambda _: 0
    """and up to its last batch that went on: that may be later, and is known though it is gone."""
    metering: Metering = field(default_factory=Metering)
    position: str = ""
    """The node and the line that it was at, as it last said; empty where it was in none."""
    last_failure: str = ""
    """What its predecessor failed of, in a line."""
    predecessor_came_up: bool = False
    """Whether anybody before it in its place was ready."""
    place_since: float = field(init=False)
    """When the first one in its place was spawned."""
    gave_up: str = ""
    """Why nobody takes its place, where its group's workers are restarted."""

    def __post_init__(self) -> None:
        self.place_since = self.spawned_at
        self.progress = Progress(group=self.group.name)
        self.silence = Silence(HEARTBEATS * self.group.heartbeat_seconds, self.spawned_at)
        self.standstill = StallDetector(self.group.stuck_after_seconds, self.spawned_at)

    @property
    def state(self) -> State:
        """Where it is; only :class:`Roster` changes it, by the table."""
        return self.life.state

    @property
    def came_up(self) -> bool:
        """Whether anybody in its place has ever been ready, up to now."""
        return self.predecessor_came_up or (self.failed_in or self.state) is not State.STARTING

    @property
    def skipped(self) -> int:
        """How many records it has skipped, as far as is known. Any thread."""
        return max(self.skipped_said, self.skipped_with_batches(self.worker_id))

    @property
    def mode(self) -> str:
        """How it came to its end: ``graceful``, ``forced``, or ``exited`` unasked."""
        if self.rung >= Rung.TERMINATE:
            return "forced"
        return "exited" if self.rung is Rung.NONE else "graceful"

    def counted(self, counts: Counts) -> None:
        """Note how far it has come, as it last said."""
        self.progress = Progress(
            group=self.group.name,
            records_in=counts.records_in,
            records_out=counts.records_out,
            batches=counts.batches,
            state=self.progress.state,
            dead_lettered=self.dead_lettered,
            skipped=self.skipped,
            requests=counts.requests,
            source_records=counts.source_records,
        )

    def totals(self) -> Totals:
        """What this incarnation has done, as it last said."""
        return totals_of(self.metering, self.progress, self.dead_lettered, self.skipped)

    def status(self, now: float, totals: Totals, progress: Progress) -> WorkerStatus:
        """It as it is at ``now``, by the loop's clock.

        :param totals: those of its place.
        :param progress: its own, read before the state of any worker.
        """
        process, moved = self.process, self.standstill.moved_at
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
            source_records=progress.source_records,
            waiting=self.standstill.counts.waiting,
            stuck=self.standstill.stuck,
            heard_age_seconds=max(0.0, now - self.silence.since),
            progress_age_seconds=None if moved is None else max(0.0, now - moved),
            age_seconds=max(0.0, now - self.spawned_at),
            rss_bytes=resident_bytes(process.pid) if process.alive else None,
            category=self.breakage.category if self.breakage else "",
            ended=process.ended(),
            last_failure=self.last_failure,
            rung=self.rung.name.lower(),
            totals=totals,
            credit=self.metering.credit,
        )

    def failure_line(self) -> str:
        """What it failed of, in a line; empty where it did not."""
        if self.breakage is None:
            return ""
        parts = f"{self.worker_id} failed ({self.breakage.category})", self.evidence.ended
        return ", ".join(filter(None, parts))

    @property
    def outcome(self) -> DrainOutcome | None:
        """How its work came to its end, as far as it has said so."""
        if self.drained is not None or self.sink_end is None:
            return self.drained.outcome if self.drained else None
        return DrainOutcome.COMPLETE if self.sink_end.committed else DrainOutcome.STOPPED

    def unfinished_outputs(self) -> tuple[str, ...]:
        """Where it said that its output is, unless that is in place."""
        return () if self.outcome is DrainOutcome.COMPLETE else self.partial_outputs


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
        position=evidence.position,
        nodes=record.group.nodes,
        records_in=evidence.counts.records_in,
        records_out=evidence.counts.records_out,
        batches=evidence.counts.batches,
        source_records=evidence.counts.source_records,
        at_hand=evidence.at_hand,
        gave_up=record.gave_up,
        trace_id=breakage.trace_id,
    )
