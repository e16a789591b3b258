"""Ending the workers of a run, in each of the ways that a supervisor is asked to."""

from __future__ import annotations

from collections.abc import Sequence

from sk_supervisor._lives.end_causes import EndCauses
from sk_supervisor._lives.ladder import Ladder, Rung
from sk_supervisor._lives.successors import Successors
from sk_supervisor._loop.loop import SupervisorLoop
from sk_supervisor._session.workload import Workload
from sk_supervisor._stop.draining import FORCE_SECONDS, Draining
from sk_supervisor._stop.stopping import Stopping
from sk_supervisor.errors import StopTimeoutError


class Ending:
    """Decides which rungs are taken, and by when; :class:`Stopping` takes them.

    In the thread that turns the loop, which each method does until it returns.
    """

    def __init__(
        self,
        loop: SupervisorLoop,
        causes: EndCauses,
        work: Workload,
        successors: Successors,
        draining: Draining,
        stopping: Stopping,
    ) -> None:
        self._loop, self._causes, self._work = loop, causes, work
        self._successors, self._draining, self._stopping = successors, draining, stopping

    def stop(self, seconds: float, *, drain_inflight: bool) -> None:
        """Have every worker leave by itself; who is left at the end of the time is left alone.

        :raises StopTimeoutError: when they are not all gone in time.
        """
        end = self._loop.now() + seconds
        self._draining.withdraw()
        self._successors.cancel()
        if drain_inflight and self._work.is_open:
            self._draining.drain(Ladder.within(seconds, self._loop.now()))
            self._await_drained(end)
        self._stopping.ask(seconds)
        self._stopping.await_exits(end)
        left = [r.worker_id for r in self._stopping.alive()]
        if left:
            raise StopTimeoutError(left, seconds)
        self._stopping.settle()

    def force(self, groups: Sequence[str]) -> None:
        """End the workers of these groups: SIGTERM, and SIGKILL a second later."""
        self._draining.withdraw()
        self._successors.close()
        for rung in (Rung.TERMINATE, Rung.KILL):
            if self._stopping.alive(groups):
                self._stopping.signal(rung, groups)
                end = self._loop.now() + FORCE_SECONDS
                self._stopping.await_exits(end, groups, whatever_comes=True)
        self._stopping.settle()

    def down(self) -> Rung:
        """End every worker, rung by rung, within the budget; the lowest rung that anybody took.

        The deadlines of a stop that was requested before still hold.
        """
        self._draining.withdraw()
        self._successors.close()
        now, budget = self._loop.now(), self._draining.budget_seconds
        ladder = Ladder.within(budget, now, drain=False)
        if self._draining.ladder is not None:
            ladder = self._draining.ladder.no_later_than(ladder)
        rung = self._stopping.down(ladder, budget)
        self._stopping.settle()
        return rung

    def _await_drained(self, end: float) -> None:
        while not (
            self._work.is_done(broken=False)
            or self._causes.broken
            or self._causes.forced
            or self._loop.now() >= end
        ):
            self._loop.step(end)
