"""One worker's control session: a state that follows the table in `_transitions`."""

from __future__ import annotations

from sk_control._codes import ProtocolCode
from sk_control._kinds import MessageKind
from sk_control._transitions import SessionState, next_state
from sk_control.errors import ControlProtocolError


class ControlPlaneSession:
    """The state of one worker's session, as one of its ends knows it.

    Each end has one, and calls it for every message that it sends or accepts. No I/O, no clock, no
    lock: the owner must call it from one thread at a time.
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
        """The current state of the session."""
        return self._state

    def check(self, kind: MessageKind) -> SessionState:
        """Return the state that a message of this kind leads to, without changing the state.

        Raises `ControlProtocolError` if the message is out of order.
        """
        outcome = next_state(self._state, kind)
        if isinstance(outcome, ProtocolCode):
            raise ControlProtocolError(outcome, self._state, kind, self._worker_id)
        return outcome

    def advance(self, kind: MessageKind) -> SessionState:
        """Change to the state that a message of this kind leads to, and return it.

        Raises `ControlProtocolError`, without changing the state, if the message is out of order.
        """
        self._state = self.check(kind)
        return self._state
