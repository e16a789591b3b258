"""The table of a worker's life, explored in every order of events."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_observability import EventName
from sk_supervisor._lifecycle import TRANSITIONS, Event, State, step

EVENTS = tuple(Event)


def walk(events: tuple[Event, ...]) -> tuple[list[State], list[EventName]]:
    """The states that ``events`` lead through, and what they emit."""
    states, emitted = [State.STARTING], []
    for event in events:
        transition = step(states[-1], event)
        if transition is not None:
            states.append(transition.state)
            if transition.emits:
                emitted.append(transition.emits)
    return states, emitted


def reachable(state: State) -> set[State]:
    """The states that can follow."""
    found, frontier = {state}, [state]
    while frontier:
        for transition in TRANSITIONS[frontier.pop()].values():
            if transition.state not in found:
                found.add(transition.state)
                frontier.append(transition.state)
    return found


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_way_to_stopped(state: State) -> None:
    assert State.STOPPED in reachable(state)


@pytest.mark.parametrize("state", set(State) - {State.STOPPED, State.FAILED, State.STOPPING})
def test_a_stop_and_a_failure_are_legal_in_every_live_state(state: State) -> None:
    assert TRANSITIONS[state][Event.STOP_ASKED].state is State.STOPPING
    assert TRANSITIONS[state][Event.BROKE].state is State.FAILED


def test_nothing_follows_stopped() -> None:
    assert TRANSITIONS[State.STOPPED] == {}


@given(st.lists(st.sampled_from(EVENTS), max_size=30).map(tuple))
def test_whatever_comes_no_event_of_a_change_of_state_is_emitted_twice(
    events: tuple[Event, ...],
) -> None:
    _, emitted = walk(events)
    changes = [e for e in emitted if e is not EventName.WORKER_BOOTSTRAP_LOADED]
    assert len(changes) == len(set(changes))


def test_no_order_of_up_to_five_events_runs_a_worker_before_the_gate() -> None:
    for events in itertools.product(EVENTS, repeat=5):
        states, _ = walk(events)
        if State.RUNNING in states:
            assert Event.GATE_OPENED in events[events.index(Event.SAID_READY) :]
            at = states.index(State.RUNNING)
            assert states[at - 1] is State.READY


def test_no_order_of_up_to_five_events_comes_back_from_an_end() -> None:
    rank = {state: i for i, state in enumerate(State)}
    for events in itertools.product(EVENTS, repeat=5):
        states, _ = walk(events)
        if State.STOPPED in states:
            assert states[-1] is State.STOPPED
        if State.FAILED in states:
            assert set(states[states.index(State.FAILED) :]) <= {State.FAILED, State.STOPPED}
        else:
            assert [rank[s] for s in states] == sorted(rank[s] for s in states)
