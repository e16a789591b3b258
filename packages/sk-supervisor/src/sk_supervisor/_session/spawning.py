"""Spawning one worker: its process, connected to the session, and its record in the roster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sk_supervisor._lives.clock import LoopClock
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.roster import Roster
from sk_supervisor._loop.loop_events import LoopEvent, ProcessExited
from sk_supervisor._processes.output import OnLine
from sk_supervisor._processes.process import WorkerProcess
from sk_supervisor._session.session_handle import SessionHandle
from sk_supervisor._session.standby import StandbyPool

if TYPE_CHECKING:
    from sk_config import GroupConfig


class Spawner:
    """Spawns workers into the open session. Only in a thread that outlives them.

    ``standby`` holds the processes that were started before the supervisor, if there are any.

    :param put: called when a worker's process has exited, in a thread for each worker.
    :param on_line: called with the worker's id, the stream and a line, in a thread for each worker.
    :param clean: masks secrets in a line.
    """

    def __init__(
        self,
        roster: Roster,
        session: SessionHandle,
        *,
        clock: LoopClock,
        put: Callable[[LoopEvent], None],
        on_line: OnLine,
        clean: Callable[[str], str],
    ) -> None:
        self._roster, self._session, self._clock = roster, session, clock
        self._put, self._on_line, self._clean = put, on_line, clean
        self.standby: StandbyPool | None = None

    def spawn(self, group: GroupConfig, index: int = 0, incarnation: int = 1) -> None:
        """Start a worker in a place of a group, and add it to the roster.

        :raises ControlError: when the session is closed.
        :raises OSError: when the process cannot be created.
        """
        session = self._session.current
        assert session is not None  # noqa: S101 - the first start opens it
        start = session.invite(group, index, incarnation)
        standby = self.standby.take(start.worker_id) if self.standby else None
        # A standby process began before the loop ran; until then both clocks agree.
        now = standby.spawned_at if standby else self._clock.now()
        process = WorkerProcess(
            start,
            on_exit=lambda worker_id: self._put(ProcessExited(worker_id)),
            on_line=self._on_line,
            clean=self._clean,
            standby=standby,
        )
        self._roster.add(
            WorkerRecord(
                process.worker_id,
                group,
                process,
                start_by=now + group.start_timeout_seconds,
                spawned_at=now,
                index=index,
                incarnation=incarnation,
            )
        )
