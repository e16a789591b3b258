"""The reaction to a stop request: the deadlines of the whole stop, and the drain."""

from __future__ import annotations

from math import inf

from sk_kernel import EventRail

from sk_supervisor._lives.clock import LoopClock
from sk_supervisor._lives.end_causes import EndCauses
from sk_supervisor._lives.ladder import Ladder
from sk_supervisor._lives.successors import Successors
from sk_supervisor._plan.preflight import Prepared, span_choices
from sk_supervisor._requests.expiry import RequestExpiry
from sk_supervisor._requests.handoff import Handoff
from sk_supervisor._session.workload import Workload
from sk_supervisor._stop.drain_timer import DrainTimer

#: After a failure nothing is left to drain: the remaining workers have this long to end.
FAILURE_BUDGET_SECONDS = 5.0
#: Each step of a forced stop, or of a forced termination, may take this long.
FORCE_SECONDS = 1.0


class Draining:
    """Reacts to stop requests; ends no worker. Called by the loop's thread only; it never waits.

    In a drain, no more requests are accepted; those in flight are answered, and the nodes finish
    them. Then the input ends, and the records that were read are processed. ``timer`` and
    ``expiry`` are alarms for the loop; ``ladder`` has the deadlines of the requested stop, if there
    is one.
    """

    def __init__(
        self,
        prepared: Prepared,
        *,
        log: EventRail,
        clock: LoopClock,
        causes: EndCauses,
        work: Workload,
        successors: Successors,
        handoff: Handoff,
    ) -> None:
        self._log, self._handoff, self._clock = log, handoff, clock
        self._groups, self._causes, self._work = prepared.groups, causes, work
        self._successors = successors
        self._delay = prepared.config.runtime.platform.health.drain_delay_seconds
        # If spans are exported, the remaining workers need time to send them, even if no one
        # receives them.
        self._flush_seconds = prepared.flush_seconds if span_choices(prepared.config) else 0.0
        self.ladder: Ladder | None = None
        self._withdrawn = self._settling = False
        self.timer = DrainTimer(self._begin)
        self.expiry = RequestExpiry(handoff, self._end_input, clock)

    @property
    def is_ending(self) -> bool:
        """Whether the run is about to end: by a stop request, a failure, or a call."""
        return bool(self._withdrawn or self._causes.stops.reasons or self._causes.broken)

    @property
    def until(self) -> float:
        """When the work must be drained, on the loop's clock; infinite before a stop request."""
        return self.ladder.drain_until if self.ladder else inf

    @property
    def drain_seconds(self) -> float | None:
        """How long the drain of a stop may take; None before a stop request."""
        return self.ladder.drain_until - self.ladder.withdraw_until if self.ladder else None

    @property
    def budget_seconds(self) -> float:
        """How long all workers together may take to end, in the present state of the run."""
        if self._causes.broken:
            return FAILURE_BUDGET_SECONDS + self._flush_seconds
        return float(max(g.stop_timeout_seconds for g in self._groups))

    def requested(self, force: bool) -> None:
        """Handle a stop request: drain the run, or with ``force`` end it without a drain.

        A stop that is not forced, requested before the work has begun, only prevents new
        successors. The methods that wait for the start or the work find both kinds of request in
        the causes.
        """
        now = self._clock.now()
        if force:
            self.withdraw()
            self.ladder = Ladder.at_once(FORCE_SECONDS, now)
        elif not self._work.is_open:
            self._successors.close()
        else:
            self.ladder = Ladder.within(self.budget_seconds, now, delay_seconds=self._delay)
            self.timer.begin_at(self.ladder.withdraw_until)

    def withdraw(self) -> None:
        """Let the run end by a call: it is not ready any more, and no timer begins a drain."""
        self._withdrawn = True
        self.timer.cancel()

    def drain(self, ladder: Ladder) -> None:
        """Drain now: the workers answer the requests in flight; then the input ends.

        :param ladder: has the deadline for the requests.
        """
        self._settling = True
        self.expiry.last = min(self.expiry.last, ladder.requests_until(self._clock.now()))
        self._handoff.refuse()
        self.requests_settled()

    def requests_settled(self) -> None:
        """End the input, if a drain waits for that and the nodes have finished all requests."""
        if not self._handoff.unsettled:
            self._end_input()

    def _end_input(self) -> None:
        if self._settling:
            self._settling = False
            self.expiry.last = inf
            self._work.drain()

    def _begin(self) -> None:
        self._log.emit("drain_begun")
        self._successors.cancel()
        assert self.ladder is not None  # noqa: S101 - its deadline has begun this drain
        self.drain(self.ladder)
