"""The order of messages in one worker's control session, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sk_control._codes import ProtocolCode
from sk_control._kinds import MessageKind


class SessionState(StrEnum):
    """The state of a worker's session, in the usual order; `FAILED` is last."""

    EXPECTED = "expected"
    """The server expects the worker, whose hello has not arrived yet."""
    GREETED = "greeted"
    """The hello was accepted."""
    BOOTSTRAPPED = "bootstrapped"
    """The bootstrap bundle was sent."""
    ACKED = "acked"
    """The worker has acknowledged the bundle and builds its nodes."""
    READY = "ready"
    """The worker is built and waits for `start_work`."""
    WORKING = "working"
    """Sources may be read."""
    DRAINED = "drained"
    """All output of the worker has been sent on."""
    STOPPING = "stopping"
    """The worker was asked to stop."""
    STOPPED = "stopped"
    """The worker has acknowledged the stop, with its last message."""
    FAILED = "failed"
    """The worker has reported that it cannot go on."""


_S, _K = SessionState, MessageKind

_REPORTS = {_K.HEARTBEAT, _K.PROGRESS, _K.SPAN_COUNTS}
# Allowed at any time after the acknowledgement of the bundle; they do not change the state.
_STAYS = _REPORTS | {_K.PEER_REPLACED}


def _row(
    state: SessionState, moves: dict[MessageKind, SessionState]
) -> dict[MessageKind, SessionState]:
    """Return the row of a state: `moves`, and the messages allowed in all states from `ACKED`."""
    return dict.fromkeys(_STAYS, state) | {_K.STOP: _S.STOPPING, _K.FAILED: _S.FAILED} | moves


# Messages of the two ends may cross. So a `stop` is allowed at any time after the bundle, and in
# STOPPING all messages are allowed that the worker may have sent before it received the `stop`.
TRANSITIONS: Final[Mapping[SessionState, Mapping[MessageKind, SessionState]]] = MappingProxyType(
    {
        _S.EXPECTED: {_K.HELLO: _S.GREETED},
        _S.GREETED: {_K.BOOTSTRAP_BUNDLE: _S.BOOTSTRAPPED},
        _S.BOOTSTRAPPED: {
            _K.BUNDLE_ACK: _S.ACKED,
            _K.STOP: _S.STOPPING,
            _K.FAILED: _S.FAILED,
        },
        _S.ACKED: _row(_S.ACKED, {_K.READY: _S.READY}),
        _S.READY: _row(_S.READY, {_K.START_WORK: _S.WORKING}),
        _S.WORKING: _row(_S.WORKING, {_K.DRAINED: _S.DRAINED}),
        _S.DRAINED: _row(_S.DRAINED, {}),
        _S.STOPPING: _row(
            _S.STOPPING,
            {
                _K.BUNDLE_ACK: _S.STOPPING,
                _K.READY: _S.STOPPING,
                _K.DRAINED: _S.STOPPING,
                _K.STOP_ACK: _S.STOPPED,
            },
        ),
        _S.STOPPED: {_K.STOP: _S.STOPPED},
        _S.FAILED: dict.fromkeys({*_REPORTS, _K.STOP}, _S.FAILED) | {_K.STOP_ACK: _S.STOPPED},
    }
)
"""For each state, the kinds of messages that are allowed, and the state that each leads to."""

_ORDER = {state: position for position, state in enumerate(SessionState)}

# For each kind: the first state in which it is allowed, the code if it comes earlier, and the code
# if it comes later.
_BREACHES: Final[Mapping[MessageKind, tuple[SessionState, ProtocolCode, ProtocolCode]]] = {
    _K.HELLO: (_S.EXPECTED, ProtocolCode.DUPLICATE_HELLO, ProtocolCode.DUPLICATE_HELLO),
    _K.BOOTSTRAP_BUNDLE: (
        _S.GREETED,
        ProtocolCode.BOOTSTRAP_BEFORE_HELLO,
        ProtocolCode.DUPLICATE_BOOTSTRAP,
    ),
    _K.BUNDLE_ACK: (_S.BOOTSTRAPPED, ProtocolCode.ACK_BEFORE_BOOTSTRAP, ProtocolCode.DUPLICATE_ACK),
    _K.READY: (_S.ACKED, ProtocolCode.READY_BEFORE_BOOTSTRAP, ProtocolCode.DUPLICATE_READY),
    _K.HEARTBEAT: (_S.ACKED, ProtocolCode.REPORT_BEFORE_BOOTSTRAP, ProtocolCode.AFTER_STOPPED),
    _K.PROGRESS: (_S.ACKED, ProtocolCode.REPORT_BEFORE_BOOTSTRAP, ProtocolCode.AFTER_STOPPED),
    _K.SPAN_COUNTS: (_S.ACKED, ProtocolCode.REPORT_BEFORE_BOOTSTRAP, ProtocolCode.AFTER_STOPPED),
    _K.START_WORK: (_S.READY, ProtocolCode.START_BEFORE_READY, ProtocolCode.DUPLICATE_START),
    _K.STOP: (_S.BOOTSTRAPPED, ProtocolCode.STOP_BEFORE_BOOTSTRAP, ProtocolCode.AFTER_STOPPED),
    _K.STOP_ACK: (_S.STOPPING, ProtocolCode.ACK_WITHOUT_STOP, ProtocolCode.AFTER_STOPPED),
    _K.DRAINED: (_S.WORKING, ProtocolCode.DRAINED_BEFORE_START, ProtocolCode.DUPLICATE_DRAINED),
    _K.PEER_REPLACED: (
        _S.ACKED,
        ProtocolCode.PEER_BEFORE_BOOTSTRAP,
        ProtocolCode.AFTER_STOPPED,
    ),
    _K.FAILED: (
        _S.BOOTSTRAPPED,
        ProtocolCode.FAILED_BEFORE_BOOTSTRAP,
        ProtocolCode.DUPLICATE_FAILED,
    ),
}


def next_state(state: SessionState, kind: MessageKind) -> SessionState | ProtocolCode:
    """Return the state that a message leads to, or the code of the rule that it breaks."""
    following = TRANSITIONS[state].get(kind)
    if following is not None:
        return following
    if state is _S.STOPPING and kind is _K.START_WORK:
        return ProtocolCode.START_AFTER_STOP
    first_legal, early, late = _BREACHES[kind]
    if _ORDER[state] < _ORDER[first_legal]:
        return early
    if state is _S.STOPPED:
        return ProtocolCode.AFTER_STOPPED
    if state is _S.FAILED and kind is not _K.FAILED:
        return ProtocolCode.AFTER_FAILED
    return late
