"""The control session, as its table in `sk_control` has it."""

from __future__ import annotations

from sk_control import TRANSITIONS, MessageKind, ProtocolCode, SessionState, next_state

_REPORTS = (MessageKind.HEARTBEAT, MessageKind.PROGRESS)


def session_diagram() -> str:
    """A Mermaid state diagram of the moves; reports, which move nothing, are left out."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {SessionState.EXPECTED}"]
    for state, row in TRANSITIONS.items():
        moves: dict[SessionState, list[str]] = {}
        for kind, following in row.items():
            if kind not in _REPORTS and following is not state:
                moves.setdefault(following, []).append(kind.name.lower())
        lines += [f"    {state} --> {to}: {', '.join(kinds)}" for to, kinds in moves.items()]
    return "\n".join([*lines, f"    {SessionState.STOPPED} --> [*]", "```"])


def session_table() -> str:
    """A row per message, a column per state: the next state, or the code of the refusal."""
    states = list(SessionState)
    rows = [["message", *(f"**{state}**" for state in states)], ["---"] * (len(states) + 1)]
    for kind in MessageKind:
        rows.append([f"`{kind.name.lower()}`", *(_cell(state, kind) for state in states)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(state: SessionState, kind: MessageKind) -> str:
    outcome = next_state(state, kind)
    if isinstance(outcome, ProtocolCode):
        return f"_{outcome}_"
    return "stays" if outcome is state else f"**{outcome}**"
