"""Taking the steps of the stop ladder: workers are asked, terminated, killed, all concurrently."""

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

#: Failures of workers that miss a deadline, or that do harm as long as they live. Asking them to
#: end is useless.
_HUNG = (HEARTBEAT, TIMEOUT, STUCK, MEMORY)
#: Even when the budget is spent, a signal has this long to take effect.
_LEAST_SECONDS = 0.2


class Stopping:
    """Takes the steps of the stop ladder with all workers of a roster concurrently.

    Called by the thread that turns the loop; :meth:`escalate` and :meth:`await_exits` turn it.

    :param tell: sends a worker a message; returns False if it has no session.
    :param order: the groups, source first, sink last.
    """

    def __init__(
        self,
        roster: Roster,
        loop: SupervisorLoop,
        *,
        causes: EndCauses,
        log: EventRail,
        tell: Callable[[WorkerRecord, ControlMessage], bool],
        order: Sequence[str],
    ) -> None:
        self._roster, self._loop, self._causes, self._log = roster, loop, causes, log
        self._tell, self._order = tell, order
        self._held_nothing: set[str] = set()

    def alive(self, groups: Collection[str] | None = None) -> list[WorkerRecord]:
        """Return the workers, of these groups or of all, whose process has not exited."""
        return [
            r
            for r in self._roster
            if r.process.alive and (groups is None or r.group.name in groups)
        ]

    def escalate(self, ladder: Ladder, budget_seconds: float) -> Rung:
        """Take the steps until no worker is left; return the last step that any worker needed.

        A worker without a session is killed at once; if it was still starting, that is not counted.
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
        """Ask every worker to end, source first, sink last."""
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
            # A worker without a session yet holds nothing that could be lost; one that has lost its
            # session ends by itself; a silent one does not listen. None of them can be asked.
            self._roster.apply(record, Event.STOP_ASKED, mode="forced")
            record.rung = Rung.KILL
            record.process.signal(signal.SIGKILL)

    def signal(self, rung: Rung, groups: Collection[str] | None = None) -> Rung:
        """Terminate or kill the workers that are left, with everything in their process groups.

        A worker reacts to SIGTERM only after a stop message, so it is sent that as well.
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
        """Wait until no worker is left or the time is over; a forced stop ends the wait.

        :param whatever_comes: go on waiting even after a forced stop.
        """
        while (
            self.alive(groups)
            and self._loop.now() < deadline
            and (whatever_comes or not self._causes.forced)
        ):
            self._loop.step(deadline)

    def settle(self) -> None:
        """Record every exit and release the processes that are gone, all within one short time."""
        left = [record for record in self._roster if not record.process.alive]
        for record in left:
            self._roster.released(record)
        release_all([record.process for record in left])

    def _at_least(self, until: float) -> float:
        return max(until, self._loop.now() + _LEAST_SECONDS)
