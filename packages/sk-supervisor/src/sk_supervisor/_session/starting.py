"""The start of groups: it opens the session once, and spawns every worker into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from sk_control import ControlError
from sk_kernel import DeadLetterError, EventRail
from sk_observability import EventName
from sk_transport import TransportError

from sk_supervisor._limits.check import check_room
from sk_supervisor._lives.roster import Roster
from sk_supervisor._loop.loop_events import LoopEvent, Ping
from sk_supervisor._protocol.failures import refusal_of
from sk_supervisor._session.opening import Opening
from sk_supervisor._session.session import Session
from sk_supervisor._session.session_handle import SessionHandle
from sk_supervisor._session.spawning import Spawner
from sk_supervisor._session.standby import StandbyPool
from sk_supervisor.errors import RuntimeLifecycleReadyError, RuntimeLifecycleResolutionError

if TYPE_CHECKING:
    from sk_config import GroupConfig


#: How long the session may take to open if no group is started with it.
_OPENING_SECONDS: Final = 30
_DOES_NOT_LISTEN: Final = (
    "gRPC does not listen for the workers: it waits for threads, it may be, that it did not get"
)


class Starting:
    """Starts the groups of a run. Only in a thread that outlives the workers.

    :param to_open: called with the folder of the workers' profiles (empty: none); returns a
        function that opens the session, in any thread. Both may raise TransportError, ControlError,
        DeadLetterError, OSError.
    :param put: called when the session is open, or could not be opened, in another thread.
    :param wait: waits until a condition is true, for so many seconds; returns whether it is; raises
        another error that ends the start.
    """

    def __init__(
        self,
        groups: Iterable[GroupConfig],
        *,
        log: EventRail,
        roster: Roster,
        session: SessionHandle,
        spawner: Spawner,
        to_open: Callable[[str], Callable[[], Session]],
        put: Callable[[LoopEvent], None],
        wait: Callable[[Callable[[], bool], float], bool],
    ) -> None:
        self._groups = {group.name: group for group in groups}
        self._log, self._roster = log, roster
        self._session, self._spawner = session, spawner
        self._to_open, self._put, self._wait = to_open, put, wait
        self._profile = ""

    def take_standby(self, pool: StandbyPool) -> None:
        """Use these processes for the workers; the system's limits were checked for all of them."""
        self._spawner.standby = pool

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
                    self._spawner.spawn(group, index)
        except (TransportError, ControlError, DeadLetterError, OSError) as error:
            if self._spawner.standby is not None:
                self._spawner.standby.close()
            raise RuntimeLifecycleReadyError("spawn", names, 0.0, refusal_of(error)) from error

    def _listen(self, configured: Sequence[GroupConfig]) -> None:
        """Open the session, unless it is open, within a time limit, as gRPC may block for ever."""
        if self._session.current is not None:
            return
        if self._spawner.standby is None:
            check_room(self._groups.values())
        timeouts = [group.start_timeout_seconds for group in configured]
        seconds = min(timeouts, default=_OPENING_SECONDS)
        opening = Opening(self._to_open(self._profile), lambda: self._put(Ping(lambda: None)))
        try:
            is_over = self._wait(opening.is_over, seconds)
        except BaseException:
            opening.abandon()
            raise
        if not is_over:
            opening.abandon()
            names = [group.name for group in configured]
            raise RuntimeLifecycleReadyError("timeout", names, seconds, _DOES_NOT_LISTEN)
        self._session.current = session = opening.take()
        self._log.emit("supervisor_listening", level="debug", fields=session.addresses())
