"""What a request to stop sets going: the deadlines of the whole stop, and the drain."""

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

#: After a failure there is nothing left to drain, and whoever is left gets this long to leave.
FAILURE_BUDGET_SECONDS = 5.0
#: A forced stop, or a forced termination, takes this long at each rung.
FORCE_SECONDS = 1.0


class Draining:
    """Reacts to requests to stop; ends no worker. The loop's thread only; it never waits.

    A drain is: no request is taken any more, those in flight are answered and the nodes have done
    with them, then the input ends and what was read is worked off. ``timer`` and ``expiry`` are
    alarms, for the loop; ``ladder`` has the deadlines of the stop that was requested, if one was.
    """

    def __init__(
        self,
        prepared: Prepared,
        causes: EndCauses,
        work: Workload,
        successors: Successors,
        handoff: Handoff,
        log: EventRail,
        clock: LoopClock,
    ) -> None:
        self._log, self._handoff, self._clock = log, handoff, clock
        self._groups, self._causes, self._work = prepared.groups, causes, work
        self._successors = successors
        self._delay = prepared.config.runtime.platform.health.drain_delay_seconds
        # Where spans are exported, who is left has them to send, to whoever listens or does not.
        self._flush_seconds = prepared.flush_seconds if span_choices(prepared.config) else 0.0
        self.ladder: Ladder | None = None
        self._withdrawn = self._settling = False
        self.timer = DrainTimer(self._begin)
        self.expiry = RequestExpiry(handoff, self._end_input, clock)

    @property
    def ready_no_more(self) -> bool:
        """Whether the run goes to its end, be it by a request, a failure, or a call."""
        return bool(self._withdrawn or self._causes.stops.reasons or self._causes.broken)

    @property
    def until(self) -> float:
        """Until when the work has to be drained, by the loop's clock; infinite until a request."""
        return self.ladder.drain_until if self.ladder else inf

    @property
    def drain_seconds(self) -> float | None:
        """How long the work has to be drained in a stop; None until a request."""
        return self.ladder.drain_until - self.ladder.withdraw_until if self.ladder else None

    @property
    def budget_seconds(self) -> float:
        """How long the workers have to leave, all together, as things are."""
        if self._causes.broken:
            return FAILURE_BUDGET_SECONDS + self._flush_seconds
        return float(max(g.stop_timeout_seconds for g in self._groups))

    def requested(self, force: bool) -> None:
        """A stop was requested, which drains the run; or with force: nobody drains any more.

        Before the work was begun it only keeps successors from being started. Whoever waits for the
        start or the work finds both in the causes.
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
        """The run is to end by a call: it is ready no more, and no timer begins a drain."""
        self._withdrawn = True
        self.timer.cancel()

    def drain(self, ladder: Ladder) -> None:
        """Drain now: what was asked is answered by workers that still work; then the input ends.

        :param ladder: says by when, if not everything is answered before.
        """
        self._settling = True
        self.expiry.last = min(self.expiry.last, ladder.requests_until(self._clock.now()))
        self._handoff.refuse()
        self.requests_settled()

    def requests_settled(self) -> None:
        """End the input, if a drain waits for that and the nodes have done with all requests."""
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
        assert self.ladder is not None  # noqa: S101 - its deadline is what has begun this
        self.drain(self.ladder)
