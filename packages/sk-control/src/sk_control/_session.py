"""One worker's control session: a state, moved by the table of `_transitions`."""

from __future__ import annotations

from sk_control._codes import ProtocolCode
from sk_control._kinds import MessageKind
from sk_control._transitions import SessionState, next_state
from sk_control.errors import ControlProtocolError


class ControlPlaneSession:
    """How far one worker's session has come, as one of its ends sees it.

    Both ends have one, and tell it of every message that they send or accept. No I/O, no clock, no
    lock: the owner calls it from one thread at a time.
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
        """Return the state that a message of this kind would lead to, and stay where it is.

        Raises `ControlProtocolError` if the message would be out of order.
        """
        outcome = next_state(self._state, kind)
        if isinstance(outcome, ProtocolCode):
            raise ControlProtocolError(outcome, self._state, kind, self._worker_id)
        return outcome

    def advance(self, kind: MessageKind) -> SessionState:
        """Go to the state that a message of this kind leads to, and return it.

        Raises `ControlProtocolError`, and stays where it is, if the message is out of order.
        """
        self._state = self.check(kind)
        return self._state
