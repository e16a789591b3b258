"""Ending workers, rung by rung: asked, terminated, killed; none waits for another."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Sequence

from sk_control import ControlMessage, Stop
from sk_kernel import EventRail
from sk_observability import EventName

from sk_supervisor._lives.end_causes import EndCauses
from sk_supervisor._lives.ladder import Ladder, Rung
from sk_supervisor._lives.lifecycle import Event, State
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.roster import Roster
from sk_supervisor._loop.loop import SupervisorLoop
from sk_supervisor._processes.process import release_all
from sk_supervisor._protocol.failures import HEARTBEAT, MEMORY, STUCK, TIMEOUT

#: Failures of workers that do not do what they should in time, or that do harm as long as they
#: live: nothing is to be had by asking.
_HUNG = (HEARTBEAT, TIMEOUT, STUCK, MEMORY)
#: Even when the budget is gone, a signal gets this long to take effect.
_LEAST_SECONDS = 0.2


class Stopping:
    """Takes the rungs of the stop ladder with the workers of a roster, all of them side by side.

    In the thread that turns the loop, which :meth:`down` and :meth:`await_exits` do.

    :param tell: sends a worker a message; False where there is no session to send it on.
    :param order: the groups, source first, sink last.
    """

    def __init__(
        self,
        roster: Roster,
        loop: SupervisorLoop,
        causes: EndCauses,
        log: EventRail,
        tell: Callable[[WorkerRecord, ControlMessage], bool],
        order: Sequence[str],
    ) -> None:
        self._roster, self._loop, self._causes, self._log = roster, loop, causes, log
        self._tell, self._order = tell, order
        self._held_nothing: set[str] = set()

    def alive(self, groups: Collection[str] | None = None) -> list[WorkerRecord]:
        """The workers, of these groups, whose process is not gone."""
        return [
            r
            for r in self._roster
            if r.process.alive and (groups is None or r.group.name in groups)
        ]

    def down(self, ladder: Ladder, budget_seconds: float) -> Rung:
        """Go down the ladder until nobody is left; the lowest rung that anybody took.

        Whoever had no session yet is ended at once, and no rung had to be taken for that.
        """
        left = self.alive()
        if left and not self._causes.forced:
            self.ask(budget_seconds)
            self.await_exits(self._at_least(ladder.stop_until))
        if self.alive() and not self._causes.forced:
            self.signal(Rung.TERMINATE)
            self.await_exits(self._at_least(ladder.terminate_until))
        if self.alive():
            self.signal(Rung.KILL)
            self.await_exits(self._at_least(ladder.kill_until), whatever_comes=True)
        held = (r.rung for r in left if r.worker_id not in self._held_nothing)
        return max(held, default=Rung.NONE)

    def ask(self, budget_seconds: float) -> None:
        """Ask every worker to leave, source first, sink last."""
        facts = {"budget_seconds": budget_seconds}
        self._log.emit(EventName.SUPERVISOR_GRACEFUL_STOP, fields=facts)
        for record in self._roster.in_order(self._order):
            if record.process.alive:
                self._ask(record)

    def _ask(self, record: WorkerRecord) -> None:
        hung = record.breakage is not None and record.breakage.category in _HUNG
        if not hung and self._tell(record, Stop(drain=False, reason="stop")):
            record.rung = max(record.rung, Rung.STOP)
            self._roster.apply(record, Event.STOP_ASKED, mode="graceful")
        else:
            if record.state is State.STARTING:
                self._held_nothing.add(record.worker_id)
            # Who has no session yet holds nothing that could be lost, who has lost it leaves by
            # itself, and who has fallen silent does not listen: there is nobody to talk to.
            self._roster.apply(record, Event.STOP_ASKED, mode="forced")
            record.rung = Rung.KILL
            record.process.signal(signal.SIGKILL)

    def signal(self, rung: Rung, groups: Collection[str] | None = None) -> Rung:
        """Terminate or kill whoever is left, with everything in its process group.

        A worker heeds SIGTERM only behind a stop, so it is told that as well.
        """
        number = signal.SIGTERM if rung is Rung.TERMINATE else signal.SIGKILL
        left = self.alive(groups)
        facts = {"rung": rung.name.lower(), "workers": " ".join(r.worker_id for r in left)}
        self._log.emit(EventName.SUPERVISOR_FORCE_STOP, fields=facts)
        for record in left:
            record.rung = max(record.rung, rung)
            self._roster.apply(record, Event.STOP_ASKED, mode="forced")
            if rung is Rung.TERMINATE:
                self._tell(record, Stop(drain=False, reason="terminate"))
            record.process.signal(number)
        return rung

    def await_exits(
        self,
        deadline: float,
        groups: Collection[str] | None = None,
        *,
        whatever_comes: bool = False,
    ) -> None:
        """Wait until nobody is left or the time is over; a stop by force ends the wait."""
        while (
            self.alive(groups)
            and self._loop.now() < deadline
            and (whatever_comes or not self._causes.forced)
        ):
            self._loop.step(deadline)

    def settle(self) -> None:
        """Record every exit, and let go of all that are gone, in one short time for them all."""
        left = [record for record in self._roster if not record.process.alive]
        for record in left:
            self._roster.released(record)
        release_all([record.process for record in left])

    def _at_least(self, until: float) -> float:
        return max(until, self._loop.now() + _LEAST_SECONDS)
