"""The lifecycle events of a run as the lives of its workers, one lane each. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sk_kernel import LifecycleEvent

SUPERVISOR: Final = "supervisor"

#: What an event begins, of the one that it names; None ends its life.
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
    """A state of one worker, of one incarnation. ``ended`` is False where the events end first."""

    state: str
    worker: str
    begin_ns: int
    end_ns: int
    ended: bool

    @property
    def length_ns(self) -> int:
        """How long it lasted; 0 where the clock went back."""
        return max(0, self.end_ns - self.begin_ns)


@dataclass
class WorkerHistory:
    """What happened to one worker, all its incarnations, or to the supervisor."""

    name: str
    stretches: list[Stretch] = field(default_factory=list)
    events: list[LifecycleEvent] = field(default_factory=list)
    marks: list[LifecycleEvent] = field(default_factory=list)


class Timeline(NamedTuple):
    """A run: the supervisor's lane, then one for each worker in the order of their start."""

    run_id: str
    begin_ns: int
    end_ns: int
    lives: list[WorkerHistory]

    @property
    def failures(self) -> int:
        """How often a worker failed."""
        return sum(e.name == "worker_failed" for life in self.lives for e in life.events)


def timeline_of(events: Sequence[LifecycleEvent]) -> Timeline:
    """Tell the lives in the events of one run, of which there is at least one."""
    ordered = sorted(events, key=lambda event: event.sequence)
    end = max(event.time_ns for event in ordered)
    lives = {SUPERVISOR: WorkerHistory(SUPERVISOR)}
    for event in ordered:
        if event.worker is None and event.group is not None:
            continue  # what a group goes through is what its workers do
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
    """Give the worker's name without its incarnation: what follows it is the same lane."""
    found = _ONE_WORKER.fullmatch(worker)
    return found[1] if found else worker


def is_bad(event: LifecycleEvent) -> bool:
    """Whether an event tells of something that should not be."""
    return _BAD.search(event.name) is not None and "unstuck" not in event.name


def _stretches(life: WorkerHistory, end: int) -> Iterable[Stretch]:
    turns = [event for event in life.events if event.name in _BEGINS]
    for number, event in enumerate(turns):
        state = _BEGINS[event.name]
        if state is None:
            continue
        worker = event.worker or SUPERVISOR
        after = turns[number + 1] if number + 1 < len(turns) else None
        # A supervisor's last step lasts until the last that is heard of the run.
        ended = after is not None or worker == SUPERVISOR
        yield Stretch(state, worker, event.time_ns, after.time_ns if after else end, ended)
