"""The supervisor's record of one worker: its process, its lifecycle, and its latest reports."""

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
    """The deadline for it to be ready."""
    spawned_at: float
    index: int = 0
    incarnation: int = 1
    lost_by: float | None = None
    """If its control session is lost: until when to wait for its exit, which says why."""
    life: Life = field(default_factory=Life)
    progress: Progress = field(init=False)
    silence: Silence = field(init=False)
    standstill: StallDetector = field(init=False)
    drained: Drained | None = None
    sink_end: SinkEnd | None = None
    """How the sink has ended, if this worker runs it; reported before the worker has drained."""
    stopped: bool = False
    """Whether it has sent its last message, with the places of its output."""
    left_hub: bool = False
    """Whether the hub has read everything that it has sent, and no more will come."""
    breakage: Breakage | None = None
    evidence: Evidence = field(default_factory=Evidence)
    failed_in: State | None = None
    """Its state when it failed."""
    partial_outputs: tuple[str, ...] = ()
    rung: Rung = Rung.NONE
    """The last step of the stop ladder that it has needed so far."""
    dead_lettered: int = 0
    skipped_said: int = 0
    """How many records it has skipped, as it last reported."""
    skipped_with_batches: Callable[[str], int] = lambda _: 0
    """Returns how many records it has skipped, up to the last batch that it passed on.

    That may be later than its last report, and is known even if it is gone.
    """
    metering: Metering = field(default_factory=Metering)
    position: str = ""
    """The node and the line that it last reported; empty if it was in none."""
    last_failure: str = ""
    """The failure of its predecessor, in one line."""
    predecessor_came_up: bool = False
    """Whether any worker before it in its place was ever ready."""
    place_since: float = field(init=False)
    """When the first worker in its place was spawned."""
    gave_up: str = ""
    """Why it gets no successor, if its group restarts workers."""

    def __post_init__(self) -> None:
        self.place_since = self.spawned_at
        self.progress = Progress(group=self.group.name)
        self.silence = Silence(HEARTBEATS * self.group.heartbeat_seconds, self.spawned_at)
        self.standstill = StallDetector(self.group.stuck_after_seconds, self.spawned_at)

    @property
    def state(self) -> State:
        """Its state; only :class:`Roster` changes it, by the lifecycle table."""
        return self.life.state

    @property
    def came_up(self) -> bool:
        """Whether any worker in its place, up to this one, was ever ready."""
        return self.predecessor_came_up or (self.failed_in or self.state) is not State.STARTING

    @property
    def skipped(self) -> int:
        """How many records it has skipped, as far as is known. Any thread."""
        return max(self.skipped_said, self.skipped_with_batches(self.worker_id))

    @property
    def mode(self) -> str:
        """How it ended: ``graceful``, ``forced``, or ``exited`` without a request."""
        if self.rung >= Rung.TERMINATE:
            return "forced"
        return "exited" if self.rung is Rung.NONE else "graceful"

    def counted(self, counts: Counts) -> None:
        """Record the progress that it has reported."""
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
        """Return the totals of this incarnation, as it last reported."""
        return totals_of(self.metering, self.progress, self.dead_lettered, self.skipped)

    def status(self, now: float, totals: Totals, progress: Progress) -> WorkerStatus:
        """Return its status at ``now``, on the loop's clock.

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
        """Return its failure in one line; empty if it has not failed."""
        if self.breakage is None:
            return ""
        parts = f"{self.worker_id} failed ({self.breakage.category})", self.evidence.ended
        return ", ".join(filter(None, parts))

    @property
    def outcome(self) -> DrainOutcome | None:
        """The outcome of its work, as far as it has reported it."""
        if self.drained is not None or self.sink_end is None:
            return self.drained.outcome if self.drained else None
        return DrainOutcome.COMPLETE if self.sink_end.committed else DrainOutcome.STOPPED

    def unfinished_outputs(self) -> tuple[str, ...]:
        """Return the places of its output, as it reported them; none if the output is committed."""
        return () if self.outcome is DrainOutcome.COMPLETE else self.partial_outputs


def failure_error(record: WorkerRecord) -> RuntimeWorkerFailedError:
    """Return the typed error of a failed worker, with its evidence."""
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
