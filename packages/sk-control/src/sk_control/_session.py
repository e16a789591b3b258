"""The rules of one worker's control session, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sk_control._codes import ProtocolCode
from sk_control._kinds import MessageKind
from sk_control.errors import ControlProtocolError


class SessionState(StrEnum):
    """How far a worker's session has come."""

    EXPECTED = "expected"
    GREETED = "greeted"
    BOOTSTRAPPED = "bootstrapped"
    ACKED = "acked"
    READY = "ready"
    WORKING = "working"
    DRAINED = "drained"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


_S, _K = SessionState, MessageKind

_REPORTS = {_K.HEARTBEAT, _K.PROGRESS, _K.SPAN_COUNTS}
#: May come at any time behind the bundle's acknowledgement, and move nothing.
_STAYS = _REPORTS | {_K.PEER_REPLACED}


def _row(
    state: SessionState, moves: dict[MessageKind, SessionState]
) -> dict[MessageKind, SessionState]:
    return dict.fromkeys(_STAYS, state) | {_K.STOP: _S.STOPPING, _K.FAILED: _S.FAILED} | moves


# What one end sends may cross what the other end sends: in STOPPING, all that the worker may have
# sent before it read `stop` is still legal, and a `stop` may come at any time behind the bundle.
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
"""By state, the messages that are in order and the state that each leads to."""

_ORDER = {state: position for position, state in enumerate(SessionState)}

# kind: (the state from which it is in order, the code before that, the code after that)
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
    """Look one message up: the state that it leads to, or the code of the rule that it breaks."""
    following = TRANSITIONS[state].get(kind)
    if following is not None:
        return following
    if state is _S.STOPPING and kind is _K.START_WORK:
        return ProtocolCode.START_AFTER_STOP
    legal_from, early, late = _BREACHES[kind]
    if _ORDER[state] < _ORDER[legal_from]:
        return early
    if state is _S.STOPPED:
        return ProtocolCode.AFTER_STOPPED
    if state is _S.FAILED and kind is not _K.FAILED:
        return ProtocolCode.AFTER_FAILED
    return late


class ControlPlaneSession:
    """One worker's session, seen from either end.

    Both ends run one and feed it every message that they send or accept. No I/O, no clock, no lock:
    the owner calls it from one thread at a time.
    """

    __slots__ = ("_state", "_worker_id")

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id
        self._state = SessionState.EXPECTED

    @property
    def worker_id(self) -> str:
        """The worker whose session this is."""
        return self._worker_id

    @property
    def state(self) -> SessionState:
        """How far the session has come."""
        return self._state

    def check(self, kind: MessageKind) -> SessionState:
        """Return the state that `kind` leads to, or raise `ControlProtocolError`."""
        outcome = next_state(self._state, kind)
        if isinstance(outcome, ProtocolCode):
            raise ControlProtocolError(outcome, self._state, kind, self._worker_id)
        return outcome

    def advance(self, kind: MessageKind) -> SessionState:
        """Move on by one message and return the new state.

        Raises `ControlProtocolError`, and stays where it is, if the message is out of order.
        """
        self._state = self.check(kind)
        return self._state
