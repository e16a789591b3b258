"""The workers of a run, as the supervisor knows them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sk_control import Drained, DrainOutcome, Failed
from sk_kernel import GroupStatus, Progress, WorkerStatus
from sk_observability import EventName, LifecycleLog

from sk_supervisor._ladder import Rung
from sk_supervisor._lifecycle import Event, State, overall, step
from sk_supervisor._process import WorkerProcess
from sk_supervisor.errors import RuntimeWorkerFailedError

if TYPE_CHECKING:
    from sk_config import GroupConfig


@dataclass(slots=True)
class Breakage:
    """Why a worker is held to have failed."""

    category: str
    message: str = ""
    node: str = ""
    cause_type: str = ""
    told: bool = False
    """Whether the worker said so itself; what it wrote besides is then no evidence."""

    @classmethod
    def said(cls, failed: Failed) -> Breakage:
        """What the worker itself said."""
        return cls(failed.category, failed.message, failed.node, failed.cause_type, told=True)


@dataclass(slots=True)
class WorkerRecord:
    """One worker: its process, its state, and what it last said."""

    worker_id: str
    group: GroupConfig
    process: WorkerProcess
    start_by: float
    last_heard: float
    lost_by: float | None = None
    """Its session was lost: its exit is waited for until then."""
    state: State = State.STARTING
    progress: Progress = field(default_factory=lambda: Progress(""))
    drained: Drained | None = None
    breakage: Breakage | None = None
    failed_in: State | None = None
    partial_outputs: tuple[str, ...] = ()
    rung: Rung = Rung.NONE

    @property
    def silent_after(self) -> float:
        """When it counts as hung: three heartbeat intervals after its last word."""
        return self.last_heard + 3 * self.group.heartbeat_seconds

    def status(self, now: float) -> WorkerStatus:
        """It as it is at ``now``, in seconds of the monotonic clock."""
        process, progress = self.process, self.progress
        return WorkerStatus(
            worker_id=self.worker_id,
            pid=process.pid,
            os_pid=process.pid,
            alive=process.alive,
            ready=self.state in (State.READY, State.RUNNING),
            state=str(self.state),
            records_in=progress.records_in,
            records_out=progress.records_out,
            batches=progress.batches,
            heard_age_seconds=max(0.0, now - self.last_heard),
            category=self.breakage.category if self.breakage else "",
            ended=process.ended(),
            rung=self.rung.name.lower(),
        )

    def unfinished_outputs(self) -> tuple[str, ...]:
        """Where it said that its output is, unless that is in place."""
        complete = self.drained is not None and self.drained.outcome is DrainOutcome.COMPLETE
        return () if complete else self.partial_outputs


class Roster:
    """Moves workers through the lifecycle table and emits what it says. The loop's thread only."""

    def __init__(self, log: LifecycleLog, on_change: Callable[[WorkerRecord], None]) -> None:
        self._log, self.changed = log, on_change
        self._records: dict[str, WorkerRecord] = {}

    def add(self, record: WorkerRecord) -> None:
        """A worker was spawned."""
        self._records[record.worker_id] = record
        record.progress = Progress(record.group.name)
        self._emit(EventName.WORKER_SPAWNED, record, {"pid": record.process.pid})
        self.changed(record)

    def __iter__(self) -> Iterator[WorkerRecord]:
        return iter(self._records.values())

    def get(self, worker_id: str) -> WorkerRecord | None:
        """The record of a worker; None for a stranger."""
        return self._records.get(worker_id)

    def apply(self, record: WorkerRecord, event: Event, **fields: Any) -> bool:
        """Take one step of the table; whether it led anywhere."""
        transition = step(record.state, event)
        if transition is None:
            return False
        record.state = transition.state
        if transition.emits is not None:
            self._emit(transition.emits, record, fields)
        self.changed(record)
        return True

    def broke(self, record: WorkerRecord, breakage: Breakage) -> bool:
        """A worker failed; the first reason is kept. Whether it was new."""
        if record.state in (State.STOPPING, State.STOPPED, State.FAILED):
            return False
        record.breakage, record.failed_in = breakage, record.state
        facts = {
            "category": breakage.category,
            "message": breakage.message,
            "ended": record.process.ended(),
            "node": breakage.node,
            "cause_type": breakage.cause_type,
        }
        return self.apply(record, Event.BROKE, **{k: v for k, v in facts.items() if v})

    def released(self, record: WorkerRecord) -> None:
        """A worker's process is gone after a stop, or after its failure.

        ``mode`` says how it came to that: ``graceful``, ``forced``, or ``exited`` unasked.
        """
        mode = "exited" if record.rung is Rung.NONE else "graceful"
        mode = "forced" if record.rung >= Rung.TERMINATE else mode
        rung, ended = record.rung.name.lower(), record.process.ended()
        self.apply(record, Event.RELEASED, mode=mode, rung=rung, ended=ended)

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
        groups: dict[str, list[WorkerStatus]] = {}
        for record in list(self):
            groups.setdefault(record.group.name, []).append(record.status(now))
        return tuple(
            GroupStatus(
                name=name,
                state=str(overall(State(w.state) for w in workers)),
                workers=tuple(workers),
            )
            for name, workers in groups.items()
        )

    def _emit(self, name: EventName, record: WorkerRecord, fields: Mapping[str, Any]) -> None:
        self._log.emit(name, group=record.group.name, worker=record.worker_id, fields=fields)


def failure_error(record: WorkerRecord) -> RuntimeWorkerFailedError:
    """The typed error of a failed worker, with its evidence."""
    breakage = record.breakage or Breakage("crash")
    return RuntimeWorkerFailedError(
        breakage.category,
        record.group.name,
        record.worker_id,
        ended=record.process.ended(),
        node=breakage.node,
        cause_type=breakage.cause_type,
        message=breakage.message,
        stderr_tail=record.process.tail(),
        told=breakage.told,
    )
