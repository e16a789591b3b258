"""The life of a worker as a table: ``state x event -> state, lifecycle event``. Pure.

An event that is not in a state's row changes nothing and emits nothing: it is late or a duplicate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from sk_observability import EventName


class State(StrEnum):
    """Where a worker is."""

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
    """It crashed, fell silent, lost its session, or said itself that it failed."""
    EXITED = "exited"
    """Its process is gone after a stop was asked for."""
    RELEASED = "released"
    """The supervisor has let go of what was left of it."""


class Transition(NamedTuple):
    """The next state, and the name of the lifecycle event to emit, if any."""

    state: State
    emits: EventName | None = None


_BROKEN = Transition(State.FAILED, EventName.WORKER_FAILED)
_STOPPING = Transition(State.STOPPING, EventName.WORKER_STOPPING)
_STOPPED = Transition(State.STOPPED, EventName.WORKER_STOPPED)

TRANSITIONS: Mapping[State, Mapping[Event, Transition]] = MappingProxyType(
    {
        State.STARTING: {
            Event.BUNDLE_LOADED: Transition(State.STARTING, EventName.WORKER_BOOTSTRAP_LOADED),
            Event.SAID_READY: Transition(State.READY, EventName.WORKER_READY),
            Event.STOP_ASKED: _STOPPING,
            Event.BROKE: _BROKEN,
        },
        State.READY: {
            Event.GATE_OPENED: Transition(State.RUNNING, EventName.WORKER_RUNNING),
            Event.STOP_ASKED: _STOPPING,
            Event.BROKE: _BROKEN,
        },
        State.RUNNING: {
            Event.STOP_ASKED: _STOPPING,
            Event.BROKE: _BROKEN,
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


#: The state of several workers together: the first of these that any of them is in.
_PRECEDENCE = (
    State.FAILED,
    State.STARTING,
    State.STOPPING,
    State.READY,
    State.RUNNING,
    State.STOPPED,
)


def overall(states: Iterable[State]) -> State:
    """The state of a group, or of a run: as far as all of them are, and failed if one is."""
    present = set(states)
    return next((state for state in _PRECEDENCE if state in present), State.STARTING)


def step(state: State, event: Event) -> Transition | None:
    """What ``event`` does in ``state``; None when it changes nothing."""
    return TRANSITIONS[state].get(event)
