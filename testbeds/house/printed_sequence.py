"""The messages between supervisor and worker in a run: the shortest path of the control session."""

from __future__ import annotations

from collections.abc import Iterator

from sk_control import TRANSITIONS, Direction, MessageKind, SessionState, next_state

_BEFORE = {
    MessageKind.HELLO: (
        "U->>S: sk run CONFIG",
        "S->>S: preflight: discovery, graph,<br/>placement, adapters",
        "Note over S: on any fault: exit code 2,<br/>no process is started",
        "S->>W: spawn: import what every worker needs, and wait",
        "S->>S: open control (gRPC) and<br/>data (TCP) on loopback",
        "S->>W: identity, address and one-time token,<br/>through the spawn pipe",
        "Note over W,S: from here on every message is signed<br/>(hello with the token's key)",
    ),
    MessageKind.BOOTSTRAP_BUNDLE: ("Note over S,W: once: settings, placement, keys",),
    MessageKind.READY: (
        "Note over S,W: the worker: own discovery, own DI scope, own nodes",
        "W->>S: data connection, mutual handshake",
    ),
    MessageKind.START_WORK: ("Note over S: the gate opens when all workers are ready",),
    MessageKind.DRAINED: (
        "loop batches, in order, at most in_flight of them",
        "    W->>S: frame (the hub routes it by its header)",
        "    S->>W: the same bytes to the next worker",
        "    W->>S: ack from the sink's segment, as credit for the source",
        "end",
        "opt a stop is requested",
        "    S->>W: stop with drain, to all workers (stopping)",
        "    Note over S,W: the source reads no more,<br/>records already read are processed",
        "end",
        "W->>S: END, in order after the last batch",
    ),
    MessageKind.STOP: ("Note over S: all workers have drained, the source is stopped first",),
}
"""What happens before a message: lines of the diagram."""

MAIN = (
    MessageKind.HELLO,
    MessageKind.BOOTSTRAP_BUNDLE,
    MessageKind.BUNDLE_ACK,
    MessageKind.READY,
    MessageKind.START_WORK,
    MessageKind.DRAINED,
    MessageKind.STOP,
    MessageKind.STOP_ACK,
)
"""The messages of a run without a failure or a stop."""


class NotInOrderError(Exception):
    """The session's table does not let the messages of :data:`MAIN` follow each other."""


def run_sequence() -> str:
    """A Mermaid sequence diagram: each message, and the state that it brings the session to.

    Raises `NotInOrderError` if the table rejects one.
    """
    head = ["```mermaid", "sequenceDiagram", "    participant U as user"]
    ends = ["    participant S as supervisor", "    participant W as each worker"]
    return "\n".join([*head, *ends, *_messages(), "```"])


def _messages() -> Iterator[str]:
    state = SessionState.EXPECTED
    for kind in MAIN:
        following = next_state(state, kind)
        if not isinstance(following, SessionState):
            raise NotInOrderError(f"{kind.name} is {following} in {state}")
        yield from (f"    {line}" for line in _BEFORE.get(kind, ()))
        arrow = "S->>W" if kind.direction is Direction.TO_WORKER else "W->>S"
        yield f"    {arrow}: {kind.label} ({following})"
        state = following
        if state is SessionState.ACKED:
            reports = [k.label for k in MessageKind if TRANSITIONS[state].get(k) is state]
            yield f"    Note over W,S: from here on at any time:<br/>{', '.join(reports)}"
