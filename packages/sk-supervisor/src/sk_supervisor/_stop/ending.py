"""The ways in which a supervisor ends the workers of a run."""

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
    """Decides which steps of the stop ladder are taken, and when; :class:`Stopping` takes them.

    Called by the thread that turns the loop; each method turns the loop until it returns.
    """

    def __init__(
        self,
        loop: SupervisorLoop,
        *,
        causes: EndCauses,
        work: Workload,
        successors: Successors,
        draining: Draining,
        stopping: Stopping,
    ) -> None:
        self._loop, self._causes, self._work = loop, causes, work
        self._successors, self._draining, self._stopping = successors, draining, stopping

    def stop(self, seconds: float, *, drain_inflight: bool) -> None:
        """Ask every worker to end; workers that are left at the end of the time are not terminated.

        :raises StopTimeoutError: when not all workers have ended in time.
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
        """End the workers of these groups: by SIGTERM, and by SIGKILL one second later."""
        self._draining.withdraw()
        self._successors.close()
        for rung in (Rung.TERMINATE, Rung.KILL):
            if self._stopping.alive(groups):
                self._stopping.signal(rung, groups)
                end = self._loop.now() + FORCE_SECONDS
                self._stopping.await_exits(end, groups, whatever_comes=True)
        self._stopping.settle()

    def stop_all(self) -> Rung:
        """End every worker within the budget, step by step; return the last step that any needed.

        The deadlines of a stop that was requested before still hold.
        """
        self._draining.withdraw()
        self._successors.close()
        now, budget = self._loop.now(), self._draining.budget_seconds
        ladder = Ladder.within(budget, now, drain=False)
        if self._draining.ladder is not None:
            ladder = self._draining.ladder.no_later_than(ladder)
        rung = self._stopping.escalate(ladder, budget)
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
