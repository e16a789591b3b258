"""Requests run out of time though nobody waits for them: the loop sees to that."""

from __future__ import annotations

from math import inf

from sk_supervisor._requests.handoff import Handoff


class RequestExpiry:
    """An alarm of the supervisor's loop, due when the next request is out of time.

    ``last``, on the loop's clock, is when all of them are, as the run is to end.
    """

    def __init__(self, handoff: Handoff) -> None:
        self._handoff = handoff
        self.last = inf

    def due(self) -> float | None:
        """When the next one is; None while none is in flight."""
        due = self._handoff.waiters.next_due()
        return None if due is None else min(due, self.last)

    def ring(self, now: float) -> None:
        """Let those that are due fail, as timed out."""
        if now >= self.last:
            self._handoff.give_up()
        else:
            self._handoff.waiters.expire(now)
