"""The start of workers: it opens the session once, and spawns each worker into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from sk_control import ControlError
from sk_kernel import DeadLetterError, EventRail
from sk_observability import EventName
from sk_transport import TransportError

from sk_supervisor._limits.check import check_room
from sk_supervisor._lives.clock import LoopClock
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.roster import Roster
from sk_supervisor._loop.loop_events import LoopEvent, Ping, ProcessExited
from sk_supervisor._processes.output import OnLine
from sk_supervisor._processes.process import WorkerProcess
from sk_supervisor._protocol.failures import refusal_of
from sk_supervisor._session.early import Early
from sk_supervisor._session.opening import Opening
from sk_supervisor._session.session import Session
from sk_supervisor._session.workload import Workload
from sk_supervisor.errors import RuntimeLifecycleReadyError, RuntimeLifecycleResolutionError

if TYPE_CHECKING:
    from sk_config import GroupConfig


#: How long the session may take to open if no group is started with it.
_OPENING_SECONDS: Final = 30
_DOES_NOT_LISTEN: Final = (
    "gRPC does not listen for the workers: it waits for threads, it may be, that it did not get"
)


class Starting:
    """Fills a roster with the workers of a run. Only in a thread that outlives the workers.

    :param to_open: called with the folder of the workers' profiles (empty: none); returns a
        function that opens the session, in any thread. Both may raise TransportError, ControlError,
        DeadLetterError, OSError.
    :param put: called when a worker's process has exited, in a thread for each worker.
    :param on_line: called with the worker's id, the stream and a line, in a thread for each worker.
    :param clean: masks secrets in a line.
    :param wait: waits until a condition is true, for so many seconds; returns whether it is; raises
        another error that ends the start.
    """

    def __init__(
        self,
        groups: Iterable[GroupConfig],
        log: EventRail,
        roster: Roster,
        work: Workload,
        clock: LoopClock,
        *,
        to_open: Callable[[str], Callable[[], Session]],
        put: Callable[[LoopEvent], None],
        on_line: OnLine,
        clean: Callable[[str], str],
        wait: Callable[[Callable[[], bool], float], bool],
    ) -> None:
        self._groups = {group.name: group for group in groups}
        self._log, self._roster, self._work = log, roster, work
        self._clock, self._to_open, self._wait = clock, to_open, wait
        self._put, self._on_line, self._clean = put, on_line, clean
        self._early: Early | None = None
        self._profile = ""

    def take_early(self, early: Early) -> None:
        """Use these processes for the workers; the system's limits were checked for all of them."""
        self._early = early

    def profile_into(self, folder: str) -> None:
        """Have the workers write profiles to a folder. Call it before any group is started."""
        self._profile = folder

    def configured(self, names: Iterable[str]) -> list[GroupConfig]:
        """The groups with these names, in the same order.

        :raises RuntimeLifecycleResolutionError: for an unknown group.
        """
        for name in names:
            if name not in self._groups:
                raise RuntimeLifecycleResolutionError(name, "is not a configured process group")
        return [self._groups[name] for name in names]

    def started(self) -> set[str]:
        """The names of the groups that have a worker, in any state."""
        return {record.group.name for record in self._roster}

    def start(self, names: Sequence[str]) -> None:
        """Spawn every worker of these groups; the first call opens the session.

        :raises RuntimeLifecycleResolutionError: for an unknown group, or a group started before.
        :raises SystemLimitError: when a limit of the system is too low for all workers of the run.
        :raises RuntimeLifecycleReadyError: when a port cannot be bound or a process created, or
            gRPC does not listen within the shortest start timeout of these groups.
        :raises StartInterruptedError, StopForcedError: when a stop was requested meanwhile.
        """
        configured, started = self.configured(names), self.started()
        for name in names:
            if name in started:
                raise RuntimeLifecycleResolutionError(name, "has been started already")
        self._log.emit(EventName.SUPERVISOR_START_GROUPS, fields={"groups": " ".join(names)})
        try:
            self._listen(configured)
            for group in configured:
                for index in range(group.workers):
                    self.spawn(group, index)
        except (TransportError, ControlError, DeadLetterError, OSError) as error:
            if self._early is not None:
                self._early.close()
            raise RuntimeLifecycleReadyError("spawn", names, 0.0, refusal_of(error)) from error

    def spawn(self, group: GroupConfig, index: int = 0, incarnation: int = 1) -> None:
        """Start a worker in a place of a group, and add it to the roster.

        :raises ControlError: when the session is closed.
        :raises OSError: when the process cannot be created.
        """
        assert self._work.session is not None  # noqa: S101 - groups were started in it
        start = self._work.session.invite(group, index, incarnation)
        interpreter = self._early.take(start.worker_id) if self._early else None
        # An early process began before the loop ran; until then both clocks agree.
        now = interpreter.spawned_at if interpreter else self._clock.now()
        process = WorkerProcess(
            start,
            lambda worker_id: self._put(ProcessExited(worker_id)),
            self._on_line,
            self._clean,
            interpreter,
        )
        start_by = now + group.start_timeout_seconds
        self._roster.add(
            WorkerRecord(
                process.worker_id,
                group,
                process,
                start_by,
                now,
                index=index,
                incarnation=incarnation,
            )
        )

    def _listen(self, configured: Sequence[GroupConfig]) -> None:
        """Open the session, unless it is open, within a time limit, as gRPC may block for ever."""
        if self._work.session is not None:
            return
        if self._early is None:
            check_room(self._groups.values())
        timeouts = [group.start_timeout_seconds for group in configured]
        seconds = min(timeouts, default=_OPENING_SECONDS)
        opening = Opening(self._to_open(self._profile), lambda: self._put(Ping(lambda: None)))
        try:
            is_over = self._wait(opening.is_over, seconds)
        except BaseException:
            opening.let_go()
            raise
        if not is_over:
            opening.let_go()
            names = [group.name for group in configured]
            raise RuntimeLifecycleReadyError("timeout", names, seconds, _DOES_NOT_LISTEN)
        self._work.session = session = opening.take()
        self._log.emit("supervisor_listening", level="debug", fields=session.addresses())
