"""The lifecycles of a worker and of a group, as tables: ``state x event -> state, actions``. Pure.

A lifecycle begins with a worker's record, and never goes back: a successor's process begins another
one. An event that is not in a state's row changes nothing: it is late or a duplicate. Each
lifecycle emits each checkpoint at most once. Time limits come as events, too, from
:mod:`sk_supervisor._lives.judgement`, which is given the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from sk_observability import EventName


class State(StrEnum):
    """The state of a worker, a group or a run."""

    STARTING = "starting"
    READY = "ready"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class Event(StrEnum):
    """The events in the lifecycle of a worker."""

    BUNDLE_LOADED = "bundle_loaded"
    SAID_READY = "said_ready"
    GATE_OPENED = "gate_opened"
    STOP_ASKED = "stop_asked"
    BROKE = "broke"
    """It reported its own failure, broke a rule, lost its session, or exceeded its memory limit."""
    OVERDUE = "overdue"
    """It took longer to start than ``start_timeout_seconds``."""
    SILENT = "silent"
    """No message came from it for three ``heartbeat_seconds``."""
    STUCK = "stuck"
    """It sends heartbeats but makes no progress with waiting work; ``on_stuck`` is ``fail``."""
    EXITED = "exited"
    """Its process has ended."""
    RELEASED = "released"
    """The supervisor has released its process."""


class Act(StrEnum):
    """What to do at a transition, besides emitting an event."""

    OPEN_GATE = "open_gate"
    """Start the groups that may start, now that this worker is ready."""
    BLAME = "blame"
    """Record the failure with its evidence; then the run ends, or a successor is started."""


class Transition(NamedTuple):
    """The next state, the lifecycle event to emit, and what else to do, if anything."""

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
"""The events that are possible in each state, and the transition of each."""


def step(state: State, event: Event) -> Transition | None:
    """Return the transition of ``event`` in ``state``; None if it changes nothing."""
    return TRANSITIONS[state].get(event)


class Life(NamedTuple):
    """The lifecycle of a worker: its state, and the checkpoints that it has emitted."""

    state: State = State.STARTING
    emitted: frozenset[EventName] = frozenset()


def advance(life: Life, event: Event) -> tuple[Life, Transition | None]:
    """Apply an event; the transition is None if nothing changes or it repeats a checkpoint."""
    transition = step(life.state, event)
    if transition is None or transition.emits in life.emitted:
        return life, None
    emitted = life.emitted | ({transition.emits} if transition.emits else set())
    return Life(transition.state, emitted), transition


# ---- several workers together --------------------------------------------------------------------


class Quantifier(StrEnum):
    """How many of the workers a row of the group's rule applies to."""

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
"""The first row that holds determines the state; in each place, the latest incarnation counts."""


def overall(states: Iterable[State]) -> State:
    """Return the state of a group of workers, or of a run of groups; without any, ``STARTING``."""
    present = set(states)
    if not present:
        return State.STARTING
    return next(row.state for row in GROUP_RULE if _holds(row, present))


def _holds(row: GroupRow, present: set[State]) -> bool:
    if row.how_many is Quantifier.ALL:
        return present <= row.present
    return bool(present & row.present)


class GroupEvent(StrEnum):
    """The checkpoints of a group, each emitted once for the same set of incarnations."""

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
"""The event that a group emits when it enters a state."""


class GroupLife(NamedTuple):
    """The lifecycle of a group with its present workers: its state, and what it has emitted."""

    state: State = State.STARTING
    emitted: frozenset[GroupEvent] = frozenset()


def regroup(life: GroupLife, states: Iterable[State]) -> tuple[GroupLife, GroupEvent | None]:
    """Return the group's lifecycle with its workers in ``states``, and an event to emit, if any."""
    state = overall(states)
    emits = GROUP_EMITS.get(state) if state is not life.state else None
    if emits is None or emits in life.emitted:
        return life._replace(state=state), None
    return GroupLife(state, life.emitted | {emits}), emits
