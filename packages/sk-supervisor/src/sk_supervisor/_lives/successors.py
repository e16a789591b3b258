"""Starting another worker in the place of one that failed, as its group's restart policy says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
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

#: How long the threads that watched a process that is gone are waited for.
_RELEASE_SECONDS = 0.1
_CANCELLED = "a stop was asked for before another could take its place"


@dataclass(slots=True)
class _Pending:
    """A successor that is to be started, not before ``at`` on the loop's clock."""

    failed: WorkerRecord
    incarnation: int
    at: float


class Successors:
    """An alarm of the loop, which is not held up by any backoff. The loop's thread only.

    :param spawn: starts a group's worker, by index and incarnation; raises OSError, ControlError.
    :param blame: ends the run by a worker that nobody follows, where that is found out later.
    :param complete: whether all work is done, so that nobody needs to follow anybody.
    """

    def __init__(
        self,
        groups: Iterable[GroupConfig],
        run_id: str,
        log: EventRail,
        roster: Roster,
        clock: LoopClock,
        *,
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
        """Have another worker take the place of one that has just failed; whether one will.

        If so its process is killed, and the successor starts once it is gone and has waited as the
        policy says. If all work is done, nobody needs to: the answer is the same.
        """
        if self._closed or failed.group.name not in self._histories:
            return False
        failed.process.signal(SIGKILL)  # with whatever it has started
        if self._complete():
            return True
        category = failed.breakage.category if failed.breakage else ""
        return self._decide(failed, failed.incarnation + 1, category)

    def due(self) -> float | None:
        """When the next one is to be started: not before its predecessor is gone."""
        return min(
            (p.at for p in self._pending.values() if not p.failed.process.alive), default=None
        )

    def ring(self, now: float) -> None:
        """Start whoever is due."""
        for place, pending in list(self._pending.items()):
            if pending.at <= now and not pending.failed.process.alive:
                del self._pending[place]
                if not self._complete():
                    self._start(pending)

    def cancel(self) -> None:
        """Start nobody any more, as a stop was asked for; the run ends by who waits for one."""
        pending = list(self._pending.values())
        self.close()
        for one in pending:
            one.failed.gave_up = _CANCELLED
            self._blame(one.failed)

    def close(self) -> None:
        """Start nobody any more: the run is over."""
        self._closed = True
        self._pending.clear()

    def _start(self, pending: _Pending) -> None:
        failed = pending.failed
        self._roster.released(failed, followed=True)
        failed.process.release(_RELEASE_SECONDS)
        try:
            self._spawn(failed.group, failed.index, pending.incarnation)
        except (OSError, ControlError) as error:
            # The system has no process or descriptor to give: that is a failure like any other.
            problem = f"no other could be started in its place: {refusal_of(error)}"
            if not self._decide(failed, pending.incarnation + 1, START, problem):
                failed.breakage = Breakage(START, problem)
                self._blame(failed)

    def _decide(
        self, failed: WorkerRecord, incarnation: int, category: str, problem: str = ""
    ) -> bool:
        """Have the policy say whether, and when, an incarnation is started; False: it gave up."""
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
