"""The lifecycle of workers and groups, as its tables in `sk_supervisor` have it."""

from __future__ import annotations

from sk_supervisor.lifecycle import (
    GROUP_EMITS,
    GROUP_RULE,
    TRANSITIONS,
    Event,
    State,
    step,
)


def lifecycle_diagram() -> str:
    """A Mermaid state diagram of a worker's life."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.STARTING}: spawned"]
    for state, row in TRANSITIONS.items():
        moves: dict[State, list[Event]] = {}
        for event, transition in row.items():
            if transition.state is not state:
                moves.setdefault(transition.state, []).append(event)
        lines += [f"    {state} --> {to}: {', '.join(events)}" for to, events in moves.items()]
    return "\n".join([*lines, f"    {State.STOPPED} --> [*]", "```"])


def lifecycle_table() -> str:
    """A row per event, a column per state: the next state, what is emitted, what else is done.

    A state that no event changes has no column.
    """
    states = [state for state in State if any(step(state, event) for event in Event)]
    rows = [["event", *(f"**{state}**" for state in states)], ["---"] * (len(states) + 1)]
    rows += [[f"`{event}`", *(_cell(state, event) for state in states)] for event in Event]
    return _table(rows)


def group_table() -> str:
    """The rows of the group's rule, in order."""
    rows = [["how many", "workers", "state of the group", "event"], ["---"] * 4]
    for row in GROUP_RULE:
        present = " or ".join(state for state in State if state in row.present)
        emits = f"`{GROUP_EMITS[row.state]}`" if row.state in GROUP_EMITS else ""
        rows.append([str(row.how_many), f"are {present}", f"**{row.state}**", emits])
    return _table(rows)


def _cell(state: State, event: Event) -> str:
    transition = step(state, event)
    if transition is None:
        return ""
    words = ["stays" if transition.state is state else f"**{transition.state}**"]
    words += [f"`{transition.emits}`"] if transition.emits else []
    words += [f"_{transition.act}_"] if transition.act else []
    return "<br>".join(words)


def _table(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
