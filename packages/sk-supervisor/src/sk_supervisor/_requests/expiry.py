"""Expiry of requests by the supervisor's loop, also of those that no caller waits for."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from sk_supervisor._lives.clock import LoopClock
from sk_supervisor._requests.handoff import Handoff


class RequestExpiry:
    """An alarm of the supervisor's loop, due when the next request times out.

    A request's own deadline is on the monotonic clock, which its caller uses to wait. ``last``, on
    the loop's clock, is when all requests time out because the run is to end.

    :param on_last: called at ``last``, after all of them have failed.
    """

    def __init__(self, handoff: Handoff, on_last: Callable[[], None], clock: LoopClock) -> None:
        self._handoff, self._on_last, self._clock = handoff, on_last, clock
        self.last = inf

    def due(self) -> float | None:
        """When the next request times out, or all of them do; None if none is pending."""
        due = self._handoff.waiters.next_due()
        until = self.last if due is None else min(self._clock.of(due), self.last)
        return None if until == inf else until

    def ring(self, now: float) -> None:
        """Fail the requests that are due, or at ``last`` all of them, as timed out."""
        if now >= self.last:
            self.last = inf
            self._handoff.give_up()
            self._on_last()
        else:
            self._handoff.waiters.expire()
