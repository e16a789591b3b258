"""The histories of a run's workers, from its lifecycle events, one lane each. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sk_kernel import LifecycleEvent

SUPERVISOR: Final = "supervisor"

#: The state that each event begins for its worker; None for the event that ends a worker.
_BEGINS: Final[dict[str, str | None]] = {
    "worker_spawned": "starting",
    "worker_bootstrap_loaded": "loaded",
    "worker_ready": "ready",
    "worker_running": "running",
    "worker_drained": "drained",
    "worker_stopping": "stopping",
    "worker_failed": "failed",
    "worker_stopped": None,
    "supervisor_start_groups": "starting",
    "supervisor_wait_ready": "starting",
    "supervisor_start_workload": "running",
    "supervisor_graceful_stop": "stopping",
    "supervisor_force_stop": "stopping",
}
STATES: Final = ("starting", "loaded", "ready", "running", "drained", "stopping", "failed")
_BAD: Final = re.compile("failed|gave_up|stuck|refused|force|paused|unavailable|unaccounted")
_ONE_WORKER: Final = re.compile(r"(.+-\d+)\.(\d+)")


class Stretch(NamedTuple):
    """A period in which one incarnation of a worker was in one state.

    ``ended`` is False if the recorded events end before the state does.
    """

    state: str
    worker: str
    begin_ns: int
    end_ns: int
    ended: bool

    @property
    def length_ns(self) -> int:
        """Its duration; 0 if the clock was set back."""
        return max(0, self.end_ns - self.begin_ns)


@dataclass
class WorkerHistory:
    """The history of one worker, over all its incarnations, or of the supervisor."""

    name: str
    stretches: list[Stretch] = field(default_factory=list)
    events: list[LifecycleEvent] = field(default_factory=list)
    marks: list[LifecycleEvent] = field(default_factory=list)


class Timeline(NamedTuple):
    """A run: the supervisor's history, then one for each worker in the order of their start."""

    run_id: str
    begin_ns: int
    end_ns: int
    lives: list[WorkerHistory]

    @property
    def failures(self) -> int:
        """The number of failures of workers."""
        return sum(e.name == "worker_failed" for life in self.lives for e in life.events)

    @property
    def has_ended(self) -> bool:
        """Whether the events contain the end of every worker."""
        return all(stretch.ended for life in self.lives for stretch in life.stretches)


def timeline_of(events: Sequence[LifecycleEvent]) -> Timeline:
    """Build the timeline of a run from its events, of which there must be at least one."""
    ordered = sorted(events, key=lambda event: event.sequence)
    end = max(event.time_ns for event in ordered)
    lives = {SUPERVISOR: WorkerHistory(SUPERVISOR)}
    for event in ordered:
        if event.worker is None and event.group is not None:
            continue  # shown by the events of the group's workers
        name = SUPERVISOR if event.worker is None else slot_of(event.worker)
        life = lives.setdefault(name, WorkerHistory(name))
        life.events.append(event)
        if is_bad(event) or (event.name not in _BEGINS and event.level == "info"):
            life.marks.append(event)
    for life in lives.values():
        life.stretches = list(_stretches(life, end))
    begin = min(event.time_ns for event in ordered)
    return Timeline(ordered[-1].correlation_id, begin, end, list(lives.values()))


def slot_of(worker: str) -> str:
    """The worker's id without its incarnation: all incarnations share one lane."""
    found = _ONE_WORKER.fullmatch(worker)
    return found[1] if found else worker


def is_bad(event: LifecycleEvent) -> bool:
    """Whether an event reports a fault."""
    return _BAD.search(event.name) is not None and "unstuck" not in event.name


def _stretches(life: WorkerHistory, end: int) -> Iterable[Stretch]:
    turns = [event for event in life.events if event.name in _BEGINS]
    for number, event in enumerate(turns):
        state = _BEGINS[event.name]
        if state is None:
            continue
        worker = event.worker or SUPERVISOR
        after = turns[number + 1] if number + 1 < len(turns) else None
        # The supervisor's last step lasts until the last event of the run.
        ended = after is not None or worker == SUPERVISOR
        yield Stretch(state, worker, event.time_ns, after.time_ns if after else end, ended)
