"""The life of a worker and of a group, as tables: ``state x event -> state, actions``. Pure.

A worker's record begins a life, and a process that takes a failed one's place begins another: no
life goes back. An event that is not in a state's row changes nothing: it is late or a duplicate.
Each checkpoint is emitted once in a life. Whatever depends on time comes as an event as well, from
:mod:`sk_supervisor._lives.judgement`, which is given the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from sk_observability import EventName


class State(StrEnum):
    """Where a worker, a group or a run is."""

    STARTING = "starting"
    READY = "ready"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class Event(StrEnum):
    """What can happen to a worker."""

    BUNDLE_LOADED = "bundle_loaded"
    SAID_READY = "said_ready"
    GATE_OPENED = "gate_opened"
    STOP_ASKED = "stop_asked"
    BROKE = "broke"
    """It said itself that it failed, broke a rule, or lost its session."""
    OVERDUE = "overdue"
    """It took longer to start than ``start_timeout_seconds``."""
    SILENT = "silent"
    """Nothing was heard of it for three ``heartbeat_seconds``."""
    STUCK = "stuck"
    """It beats, but stands still before waiting work, and ``on_stuck`` says that this is fatal."""
    EXITED = "exited"
    """Its process has ended."""
    RELEASED = "released"
    """The supervisor has let go of what was left of it."""


class Act(StrEnum):
    """What is to be done at a transition, beside emitting."""

    OPEN_GATE = "open_gate"
    """See which groups may begin, now that this worker is ready."""
    BLAME = "blame"
    """Keep why it failed, with the evidence: the run ends by it, or a successor is started."""


class Transition(NamedTuple):
    """The next state; the lifecycle event to emit and what else to do there, if anything."""

    state: State
    emits: EventName | None = None
    act: Act | None = None


_STOPPING = Transition(State.STOPPING, EventName.WORKER_STOPPING)
_STOPPED = Transition(State.STOPPED, EventName.WORKER_STOPPED)
_FAILED = Transition(State.FAILED, EventName.WORKER_FAILED, Act.BLAME)

TRANSITIONS: Final[Mapping[State, Mapping[Event, Transition]]] = MappingProxyType(
    {
        State.STARTING: {
            Event.BUNDLE_LOADED: Transition(State.STARTING, EventName.WORKER_BOOTSTRAP_LOADED),
            Event.SAID_READY: Transition(State.READY, EventName.WORKER_READY, Act.OPEN_GATE),
            Event.STOP_ASKED: _STOPPING,
            Event.BROKE: _FAILED,
            Event.OVERDUE: _FAILED,
            Event.EXITED: _FAILED,
        },
        State.READY: {
            Event.GATE_OPENED: Transition(State.RUNNING, EventName.WORKER_RUNNING),
            Event.STOP_ASKED: _STOPPING,
            Event.BROKE: _FAILED,
            Event.SILENT: _FAILED,
            Event.EXITED: _FAILED,
        },
        State.RUNNING: {
            Event.STOP_ASKED: _STOPPING,
            Event.BROKE: _FAILED,
            Event.SILENT: _FAILED,
            Event.STUCK: _FAILED,
            Event.EXITED: _FAILED,
        },
        State.STOPPING: {
            Event.EXITED: _STOPPED,
            Event.RELEASED: _STOPPED,
        },
        State.STOPPED: {},
        State.FAILED: {
            Event.RELEASED: _STOPPED,
        },
    }
)
"""By state, the events that there can be, and what each comes to."""


def step(state: State, event: Event) -> Transition | None:
    """What ``event`` does in ``state``; None when it changes nothing."""
    return TRANSITIONS[state].get(event)


class Life(NamedTuple):
    """A worker's, from spawn to stop: its state, and the checkpoints that were emitted."""

    state: State = State.STARTING
    emitted: frozenset[EventName] = frozenset()


def advance(life: Life, event: Event) -> tuple[Life, Transition | None]:
    """Take one step; None where it leads nowhere, or has been taken before."""
    transition = step(life.state, event)
    if transition is None or transition.emits in life.emitted:
        return life, None
    emitted = life.emitted | ({transition.emits} if transition.emits else set())
    return Life(transition.state, emitted), transition


# ---- several workers together --------------------------------------------------------------------


class Quantifier(StrEnum):
    """How many of the workers a row of the group's rule is about."""

    ANY = "any"
    ALL = "all"


class GroupRow(NamedTuple):
    """A group is in ``state`` when any, or all, of its workers are in one of ``present``."""

    how_many: Quantifier
    present: frozenset[State]
    state: State


GROUP_RULE: Final = (
    GroupRow(Quantifier.ANY, frozenset({State.FAILED}), State.FAILED),
    GroupRow(Quantifier.ALL, frozenset({State.STOPPED}), State.STOPPED),
    GroupRow(Quantifier.ANY, frozenset({State.STOPPING, State.STOPPED}), State.STOPPING),
    GroupRow(Quantifier.ANY, frozenset({State.STARTING}), State.STARTING),
    GroupRow(Quantifier.ANY, frozenset({State.READY}), State.READY),
    GroupRow(Quantifier.ALL, frozenset({State.RUNNING}), State.RUNNING),
)
"""The first row that holds gives the state; of each place the latest incarnation counts."""


def overall(states: Iterable[State]) -> State:
    """The state of a group of workers, or of a run of groups; with none of them it is starting."""
    present = set(states)
    if not present:
        return State.STARTING
    return next(row.state for row in GROUP_RULE if _holds(row, present))


def _holds(row: GroupRow, present: set[State]) -> bool:
    if row.how_many is Quantifier.ALL:
        return present <= row.present
    return bool(present & row.present)


class GroupEvent(StrEnum):
    """The checkpoints of a group, emitted once for each set of incarnations that forms it."""

    READY = "group_ready"
    RUNNING = "group_running"
    STOPPING = "group_stopping"
    STOPPED = "group_stopped"
    FAILED = "group_failed"


GROUP_EMITS: Final[Mapping[State, GroupEvent]] = MappingProxyType(
    {
        State.READY: GroupEvent.READY,
        State.RUNNING: GroupEvent.RUNNING,
        State.STOPPING: GroupEvent.STOPPING,
        State.STOPPED: GroupEvent.STOPPED,
        State.FAILED: GroupEvent.FAILED,
    }
)
"""What a group emits when it comes into a state."""


class GroupLife(NamedTuple):
    """A group's, with the workers that it has now: its state, and what was emitted."""

    state: State = State.STARTING
    emitted: frozenset[GroupEvent] = frozenset()


def regroup(life: GroupLife, states: Iterable[State]) -> tuple[GroupLife, GroupEvent | None]:
    """Where a group is with its workers in ``states``, and what it emits on coming there."""
    state = overall(states)
    emits = GROUP_EMITS.get(state) if state is not life.state else None
    if emits is None or emits in life.emitted:
        return life._replace(state=state), None
    return GroupLife(state, life.emitted | {emits}), emits
