"""Starting a successor of a worker that failed, by its group's restart policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from signal import SIGKILL
from typing import TYPE_CHECKING

from sk_control import ControlError
from sk_kernel import EventRail

from sk_supervisor._lives.clock import LoopClock
from sk_supervisor._lives.evidence import Breakage
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.restart import GiveUp, Restart, RestartHistory, seeded_chance
from sk_supervisor._lives.roster import Roster
from sk_supervisor._protocol.failures import START, refusal_of

if TYPE_CHECKING:
    from sk_config import GroupConfig

#: How long to wait for the threads that watched a process that is gone.
_RELEASE_SECONDS = 0.1
_CANCELLED = "a stop was asked for before another could take its place"


@dataclass(slots=True)
class _Pending:
    """A successor that is to be started, not before ``at`` on the loop's clock."""

    failed: WorkerRecord
    incarnation: int
    at: float


class Successors:
    """An alarm of the loop; no backoff blocks the loop. Called by the loop's thread only.

    :param spawn: starts a group's worker, by index and incarnation; raises OSError, ControlError.
    :param blame: ends the run by the failure of a worker that gets no successor, if that is known
        only later.
    :param complete: whether all work is done, so that no successor is needed.
    """

    def __init__(
        self,
        groups: Iterable[GroupConfig],
        run_id: str,
        *,
        log: EventRail,
        roster: Roster,
        clock: LoopClock,
        spawn: Callable[[GroupConfig, int, int], None],
        blame: Callable[[WorkerRecord], None],
        complete: Callable[[], bool],
    ) -> None:
        self._log, self._roster, self._clock = log, roster, clock
        self._spawn, self._blame, self._complete = spawn, blame, complete
        self._histories = {
            group.name: RestartHistory(group.restart, seeded_chance(run_id, group.name))
            for group in groups
            if group.restart.policy != "never"
        }
        self._pending: dict[tuple[str, int], _Pending] = {}
        self._closed = False

    def follow(self, failed: WorkerRecord) -> bool:
        """Schedule a successor for a worker that has just failed; return whether the run can go on.

        Its process is killed; the successor starts when the process is gone and the policy's delay
        is over. If all work is done, no successor is needed, and the result is True as well.
        """
        if self._closed or failed.group.name not in self._histories:
            return False
        failed.process.signal(SIGKILL)  # and the processes that it has started
        if self._complete():
            return True
        category = failed.breakage.category if failed.breakage else ""
        return self._decide(failed, failed.incarnation + 1, category)

    def due(self) -> float | None:
        """When the next successor is to be started: not before its predecessor is gone."""
        return min(
            (p.at for p in self._pending.values() if not p.failed.process.alive), default=None
        )

    def ring(self, now: float) -> None:
        """Start the successors that are due."""
        for place, pending in list(self._pending.items()):
            if pending.at <= now and not pending.failed.process.alive:
                del self._pending[place]
                if not self._complete():
                    self._start(pending)

    def cancel(self) -> None:
        """Start no more successors because of a stop; the run ends by the failures left pending."""
        pending = list(self._pending.values())
        self.close()
        for one in pending:
            one.failed.gave_up = _CANCELLED
            self._blame(one.failed)

    def close(self) -> None:
        """Start no more successors: the run is over."""
        self._closed = True
        self._pending.clear()

    def _start(self, pending: _Pending) -> None:
        failed = pending.failed
        self._roster.released(failed, followed=True)
        failed.process.release(_RELEASE_SECONDS)
        try:
            self._spawn(failed.group, failed.index, pending.incarnation)
        except (OSError, ControlError) as error:
            # The system is out of processes or descriptors: that counts as another failure.
            problem = f"no other could be started in its place: {refusal_of(error)}"
            if not self._decide(failed, pending.incarnation + 1, START, problem):
                first = failed.breakage or Breakage(START)
                message = f"{problem}; it had failed: {first.message}" if first.message else problem
                failed.breakage = replace(first, category=START, message=message)
                self._blame(failed)

    def _decide(
        self, failed: WorkerRecord, incarnation: int, category: str, problem: str = ""
    ) -> bool:
        """Apply the policy: schedule the incarnation and return True, or return False."""
        now, group, worker = self._clock.now(), failed.group.name, failed.worker_id
        why = {"category": category, **({"message": problem} if problem else {})}
        match self._histories[group].failed(now):
            case GiveUp() as end:
                failed.gave_up = str(end)
                facts = {**why, **end._asdict()}
                self._log.emit("worker_gave_up", group=group, worker=worker, fields=facts)
                return False
            case Restart(attempt, delay):
                self._pending[group, failed.index] = _Pending(failed, incarnation, now + delay)
                facts = {**why, "attempt": attempt, "delay_seconds": round(delay, 3)}
                self._log.emit("worker_restarting", group=group, worker=worker, fields=facts)
                return True
