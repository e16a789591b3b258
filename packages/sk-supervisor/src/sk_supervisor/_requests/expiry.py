"""Requests run out of time though nobody waits for them: the loop sees to that."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from sk_supervisor._lives.clock import LoopClock
from sk_supervisor._requests.handoff import Handoff


class RequestExpiry:
    """An alarm of the supervisor's loop, due when the next request is out of time.

    A request's own deadline is on the monotonic clock, as its caller waits by that. ``last``, on
    the loop's clock, is when all of them are out of time, as the run is to end.

    :param on_last: called when that has come, and all have failed.
    """

    def __init__(self, handoff: Handoff, on_last: Callable[[], None], clock: LoopClock) -> None:
        self._handoff, self._on_last, self._clock = handoff, on_last, clock
        self.last = inf

    def due(self) -> float | None:
        """When the next one is, or all are; None for not at all, as things are."""
        due = self._handoff.waiters.next_due()
        until = self.last if due is None else min(self._clock.of(due), self.last)
        return None if until == inf else until

    def ring(self, now: float) -> None:
        """Let those that are due fail, as timed out."""
        if now >= self.last:
            self.last = inf
            self._handoff.give_up()
            self._on_last()
        else:
            self._handoff.waiters.expire()
