"""Ending a run: what a request to stop sets going, how long it may take, and how all of it ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import inf

from sk_kernel import EventRail

from sk_supervisor._drain import Drain
from sk_supervisor._handoff import Expiry, Handoff
from sk_supervisor._ladder import Ladder, Rung
from sk_supervisor._preflight import Prepared, span_choices
from sk_supervisor._stopping import Stopping
from sk_supervisor._successors import Successors
from sk_supervisor._watch import Watch
from sk_supervisor._workload import Workload
from sk_supervisor.errors import StopTimeoutError

#: After a failure there is nothing left to drain, and whoever is left gets this long to leave.
FAILURE_BUDGET_SECONDS = 5.0
#: A second request to stop, or a forced termination, takes this long at each rung.
_FORCE_SECONDS = 1.0


class Ending:
    """Decides when workers have to be gone; :class:`Stopping` sees to it. The loop's thread only.

    ``drain`` and ``expiry`` are alarms, for the loop.
    """

    def __init__(
        self,
        prepared: Prepared,
        watch: Watch,
        work: Workload,
        successors: Successors,
        stopping: Stopping,
        handoff: Handoff,
        log: EventRail,
    ) -> None:
        self._log, self._handoff = log, handoff
        self._groups, self._watch, self._work = prepared.groups, watch, work
        self._successors, self._stopping = successors, stopping
        self._delay = prepared.config.runtime.platform.health.drain_delay_seconds
        # Where spans are exported, who is left has them to send, to whoever listens or does not.
        self._flush_seconds = prepared.flush_seconds if span_choices(prepared.config) else 0.0
        self._ladder: Ladder | None = None
        self._withdrawn = self._draining = False
        self.drain = Drain(self._begin_drain)
        self.expiry = Expiry(handoff)

    @property
    def begun(self) -> bool:
        """Whether the run goes to its end, be it by a request, a failure, or a call."""
        return bool(self._withdrawn or self._watch.stop_reasons or self._watch.broken)

    @property
    def drain_until(self) -> float:
        """Until when the work has to be drained, by the loop's clock; infinite until a request."""
        return self._ladder.drain_until if self._ladder else inf

    @property
    def budget_seconds(self) -> float:
        """How long the workers have to leave, all together, as things are."""
        if self._watch.broken:
            return FAILURE_BUDGET_SECONDS + self._flush_seconds
        return float(max(g.stop_timeout_seconds for g in self._groups))

    def asked(self, times: int) -> None:
        """A stop was requested: the first time it is to drain, later it is to be over at once."""
        now = time.monotonic()
        if times > 1:
            self._withdraw()
            self._ladder = Ladder.at_once(_FORCE_SECONDS, now)
        elif not self._work.is_open:
            self._successors.close()
        else:
            self._ladder = Ladder.within(self.budget_seconds, now, delay_seconds=self._delay)
            self.drain.begin_at(self._ladder.withdraw_until)

    def stop(self, seconds: float, *, drain_inflight: bool) -> None:
        """Have every worker leave by itself; who is left at the end of the time is left alone.

        :raises StopTimeoutError: when they are not all gone in time.
        """
        end = time.monotonic() + seconds
        self._withdraw()
        self._successors.cancel()
        if drain_inflight and self._work.is_open:
            self._drain_callers_first()
            self._await_drained(end)
        self._stopping.ask(seconds)
        self._stopping.await_exits(end)
        left = [r.worker_id for r in self._stopping.alive()]
        if left:
            raise StopTimeoutError(left, seconds)
        self._stopping.settle()

    def force(self, groups: Sequence[str]) -> None:
        """End the workers of these groups: SIGTERM, and SIGKILL a second later."""
        self._withdraw()
        self._successors.close()
        for rung in (Rung.TERMINATE, Rung.KILL):
            if self._stopping.alive(groups):
                self._stopping.signal(rung, groups)
                end = time.monotonic() + _FORCE_SECONDS
                self._stopping.await_exits(end, groups, whatever_comes=True)
        self._stopping.settle()

    def down(self) -> Rung:
        """End every worker, rung by rung, within the budget; the lowest rung that anybody took.

        The deadlines of a stop that was requested before still hold.
        """
        self._withdraw()
        self._successors.close()
        now, budget = time.monotonic(), self.budget_seconds
        ladder = Ladder.within(budget, now, drain=False)
        rung = self._stopping.down(
            self._ladder.no_later_than(ladder) if self._ladder else ladder, budget
        )
        self._stopping.settle()
        return rung

    def _await_drained(self, end: float) -> None:
        while not (
            self._work.is_done(broken=False)
            or self._watch.broken
            or self._watch.forced
            or time.monotonic() >= end
        ):
            self._watch.step(end)

    def requests_settled(self) -> None:
        """No request is in flight: the input may end, if it is to."""
        if self._draining and self._handoff.settled():
            self._draining = False
            self._work.drain()

    def _begin_drain(self) -> None:
        self._log.emit("drain_begun")
        self._successors.cancel()
        if self._ladder is not None:
            # Who is not answered by then has no more time: a stream needs some of it too.
            now = time.monotonic()
            self.expiry.last = now + (self._ladder.drain_until - now) / 2
        self._drain_callers_first()

    def _drain_callers_first(self) -> None:
        """What was asked is answered by workers that still work; then the input ends."""
        self._draining = True
        self.requests_settled()

    def _withdraw(self) -> None:
        self._withdrawn = True
        self.drain.cancel()
