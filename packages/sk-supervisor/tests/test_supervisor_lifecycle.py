"""The tables of the lifecycle, explored in every order of events."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_observability import EventName
from sk_supervisor._lives.lifecycle import (
    GROUP_EMITS,
    GROUP_RULE,
    TRANSITIONS,
    Act,
    Event,
    GroupEvent,
    GroupLife,
    Life,
    Quantifier,
    State,
    advance,
    overall,
    regroup,
    step,
)

EVENTS = tuple(Event)
STATES = tuple(State)
WORKERS = 2
INCARNATIONS = 2
FATAL = {Event.BROKE, Event.OVERDUE, Event.SILENT, Event.STUCK, Event.EXITED}
CHECKPOINTS = {
    EventName.WORKER_BOOTSTRAP_LOADED,
    EventName.WORKER_READY,
    EventName.WORKER_RUNNING,
    EventName.WORKER_STOPPING,
    EventName.WORKER_STOPPED,
    EventName.WORKER_FAILED,
}


# ---- a worker ------------------------------------------------------------------------------------


def walk(events: tuple[Event, ...]) -> tuple[list[State], list[EventName]]:
    """The states that ``events`` lead through, and what they emit."""
    life, states, emitted = Life(), [State.STARTING], []
    for event in events:
        life, transition = advance(life, event)
        states.append(life.state)
        if transition and transition.emits:
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
    for event in (Event.BROKE, Event.EXITED):
        assert TRANSITIONS[state][event].state is State.FAILED


@pytest.mark.parametrize("state", State)
def test_a_stop_is_legal_everywhere_and_leads_towards_the_end(state: State) -> None:
    transition = step(state, Event.STOP_ASKED)
    after = transition.state if transition else state
    assert after in (State.STOPPING, State.STOPPED, State.FAILED)
    assert State.RUNNING not in reachable(after)
    released = step(after, Event.RELEASED)
    assert after is State.STOPPED or (released and released.state is State.STOPPED)


def test_nothing_follows_stopped() -> None:
    assert TRANSITIONS[State.STOPPED] == {}


@pytest.mark.contract("P5PRE-SUP-02")
def test_a_slow_start_knows_no_heartbeats_and_a_started_worker_no_start_timeout() -> None:
    assert step(State.STARTING, Event.SILENT) is None
    assert [s for s in State if step(s, Event.OVERDUE)] == [State.STARTING]
    assert [s for s in State if step(s, Event.SILENT)] == [State.READY, State.RUNNING]
    assert [s for s in State if step(s, Event.STUCK)] == [State.RUNNING]


def test_whoever_fails_is_blamed_and_only_then() -> None:
    for row in TRANSITIONS.values():
        for event, transition in row.items():
            failed = transition.state is State.FAILED
            assert failed == (transition.act is Act.BLAME) == (transition.emits == "worker_failed")
            assert not failed or event in FATAL


@given(st.lists(st.sampled_from(EVENTS), max_size=40).map(tuple))
def test_whatever_comes_no_event_is_emitted_twice_in_a_life(events: tuple[Event, ...]) -> None:
    _, emitted = walk(events)
    assert len(emitted) == len(set(emitted))
    assert set(emitted) <= CHECKPOINTS


def test_no_order_of_up_to_five_events_runs_a_worker_before_the_gate() -> None:
    for events in itertools.product(EVENTS, repeat=5):
        states, _ = walk(events)
        if State.RUNNING in states:
            at = states.index(State.RUNNING)
            assert events[at - 1] is Event.GATE_OPENED
            assert states[at - 1] is State.READY
            assert Event.SAID_READY in events[: at - 1]


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


# ---- two workers in a group, either of which a successor may replace -----------------------------


class Scene(NamedTuple):
    """Two places of a group: the incarnation and the life in each; and the group's own life."""

    places: tuple[tuple[int, Life], ...] = ((1, Life()),) * WORKERS
    group: GroupLife = GroupLife()


class Move(NamedTuple):
    """What happened at a place (an event, or None: a successor), and what came of it."""

    place: int
    event: Event | None
    after: Scene
    worker_emits: EventName | None
    group_emits: GroupEvent | None


def moves(scene: Scene) -> Iterator[Move]:
    """Everything that can happen next: each event at each place, whether or not it belongs there.

    An event that is lost is one that does not happen; a late one or a duplicate is one that does,
    and what leads nowhere must change nothing.
    """
    for place, (incarnation, life) in enumerate(scene.places):
        for event in EVENTS:
            changed, transition = advance(life, event)
            if transition is None:
                assert changed == life
                continue
            places = _put(scene.places, place, (incarnation, changed))
            group, emits = regroup(scene.group, [life.state for _, life in places])
            yield Move(place, event, Scene(places, group), transition.emits, emits)
        if life.state is State.STOPPED and incarnation < INCARNATIONS:
            places = _put(scene.places, place, (incarnation + 1, Life()))
            yield Move(place, None, Scene(places, GroupLife()), None, None)


def _put(
    places: tuple[tuple[int, Life], ...], at: int, new: tuple[int, Life]
) -> tuple[tuple[int, Life], ...]:
    return (*places[:at], new, *places[at + 1 :])


@pytest.fixture(scope="module")
def explored() -> dict[Scene, list[Move]]:
    """Every scene that any order of events can lead to, of whatever length, and what may follow."""
    found: dict[Scene, list[Move]] = {}
    frontier = [Scene()]
    while frontier:
        scene = frontier.pop()
        if scene not in found:
            found[scene] = list(moves(scene))
            frontier += [move.after for move in found[scene]]
    return found


def test_every_scene_has_a_way_to_all_stopped(explored: dict[Scene, list[Move]]) -> None:
    before: dict[Scene, set[Scene]] = {}
    for scene, follows in explored.items():
        for move in follows:
            before.setdefault(move.after, set()).add(scene)
    frontier = [s for s in explored if all(life.state is State.STOPPED for _, life in s.places)]
    assert frontier
    saved = set(frontier)
    while frontier:
        more = before.get(frontier.pop(), set()) - saved
        saved |= more
        frontier += more
    assert saved == set(explored)


def test_asking_all_to_stop_and_letting_them_go_ends_every_scene(
    explored: dict[Scene, list[Move]],
) -> None:
    for scene in explored:
        lives = [life for _, life in scene.places]
        for event in (Event.STOP_ASKED, Event.RELEASED):
            lives = [advance(life, event)[0] for life in lives]
        assert [life.state for life in lives] == [State.STOPPED] * WORKERS
        group, _ = regroup(scene.group, [life.state for life in lives])
        assert group.state is State.STOPPED


def test_nobody_runs_before_the_gate_was_opened_for_it(explored: dict[Scene, list[Move]]) -> None:
    for scene, follows in explored.items():
        for move in follows:
            before, after = (s.places[move.place][1].state for s in (scene, move.after))
            if after is State.RUNNING is not before:
                assert (before, move.event) == (State.READY, Event.GATE_OPENED)
        if scene.group.state is State.RUNNING:
            assert {life.state for _, life in scene.places} == {State.RUNNING}


@pytest.mark.contract("STOP-IPC-03")
def test_each_event_is_emitted_once_by_an_incarnation_and_by_each_set_of_them(
    explored: dict[Scene, list[Move]],
) -> None:
    for scene, follows in explored.items():
        for move in follows:
            emitted = scene.places[move.place][1].emitted
            assert move.worker_emits not in emitted
            assert move.group_emits is None or move.group_emits not in scene.group.emitted
            if move.worker_emits:
                assert move.worker_emits in move.after.places[move.place][1].emitted
            if move.group_emits:
                assert move.group_emits in move.after.group.emitted


def test_the_state_of_a_group_is_always_that_of_its_workers(
    explored: dict[Scene, list[Move]],
) -> None:
    for scene in explored:
        assert scene.group.state is overall(life.state for _, life in scene.places) or (
            # A successor has just come: the group's life begins with it.
            scene.group == GroupLife()
        )


def test_the_exploration_sees_what_it_is_meant_to_see(explored: dict[Scene, list[Move]]) -> None:
    assert len(explored) > 1000
    seen = {tuple(life.state for _, life in scene.places) for scene in explored}
    assert seen == set(itertools.product(STATES, repeat=WORKERS))
    assert {move.group_emits for f in explored.values() for move in f} == {None, *GroupEvent}
    assert {move.worker_emits for f in explored.values() for move in f} == {None, *CHECKPOINTS}
    assert {move.event for f in explored.values() for move in f} == {None, *Event}


# ---- the rule of a group -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workers", "group"),
    [
        ("", "starting"),
        ("starting ready running", "starting"),
        ("ready running", "ready"),
        ("running running", "running"),
        ("running stopping", "stopping"),
        ("starting stopping", "stopping"),
        ("running stopped", "stopping"),
        ("stopped stopped", "stopped"),
        ("failed stopped", "failed"),
        ("failed starting running", "failed"),
    ],
)
def test_a_group_is_where_all_of_it_is_unless_one_has_failed_or_leaves(
    workers: str, group: str
) -> None:
    assert overall(map(State, workers.split())) is State(group)


@given(st.lists(st.sampled_from(STATES), max_size=6))
def test_the_rule_of_a_group_knows_neither_order_nor_number(states: list[State]) -> None:
    state = overall(states)
    assert state is overall(reversed(states)) is overall(states * 2)
    assert all(overall([one]) is one for one in states)
    assert not states or (state is State.STOPPED) == (set(states) == {State.STOPPED})


def test_the_rule_of_a_group_covers_every_mixture_by_one_row_or_more() -> None:
    for size in range(1, len(STATES) + 1):
        for present in itertools.combinations(STATES, size):
            held = [
                row
                for row in GROUP_RULE
                if (
                    set(present) <= row.present
                    if row.how_many is Quantifier.ALL
                    else set(present) & row.present
                )
            ]
            assert held[0].state is overall(present)
    assert {row.state for row in GROUP_RULE} == set(State)
    assert set(GROUP_EMITS) == set(State) - {State.STARTING}
