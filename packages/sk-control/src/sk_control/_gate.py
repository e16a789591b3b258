"""The rule that work starts only when every required worker is ready."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sk_control._codes import ProtocolCode
from sk_control._kinds import MessageKind
from sk_control._transitions import SessionState
from sk_control.errors import StartGateClosedError


class StartGate:
    """Open when all of `required` are ready. It is given their states and keeps none."""

    __slots__ = ("_required",)

    def __init__(self, required: Iterable[str]) -> None:
        self._required = tuple(dict.fromkeys(required))

    @property
    def required(self) -> tuple[str, ...]:
        """The workers that must be ready, in the order given."""
        return self._required

    def missing(self, states: Mapping[str, SessionState]) -> tuple[str, ...]:
        """Give those that are not ready, in the order given; a worker without a state is not."""
        ready = SessionState.READY
        return tuple(worker for worker in self._required if states.get(worker) is not ready)

    def check(self, states: Mapping[str, SessionState]) -> None:
        """Raise `StartGateClosedError`, naming all that are missing, unless the gate is open."""
        missing = self.missing(states)
        if missing:
            state = states.get(missing[0], SessionState.EXPECTED)
            code, kind = ProtocolCode.START_BEFORE_READY, MessageKind.START_WORK
            raise StartGateClosedError(code, state, kind, missing[0], missing)
