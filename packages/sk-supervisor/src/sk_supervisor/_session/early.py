"""Worker processes that begin before there is a supervisor to say which worker each of them is.

What a supervisor needs takes as long to import as half of what a worker needs: so both import side
by side. Only behind the preflight, since what that refuses starts no process.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sk_supervisor._limits.check import check_room
from sk_supervisor._plan.supervisors import PROCESS_SUPERVISOR
from sk_supervisor._processes.spawn import Interpreter, standard_streams
from sk_supervisor._protocol.peers import worker_name
from sk_supervisor._system.exit import exits_are_lost
from sk_supervisor._system.signals import without_signals

if TYPE_CHECKING:
    from sk_config import Config

    from sk_supervisor._plan.preflight import Prepared


class Early:
    """Processes that wait to be told, by the id of the worker that each is to be. One thread's.

    ``began_at`` is before any of them, on the monotonic clock.
    """

    def __init__(self) -> None:
        self.began_at = time.monotonic()
        self._waiting: dict[str, Interpreter] = {}

    def begin(self, prepared: Prepared) -> None:
        """Start one for each worker of a run, as far as the system has them to give."""
        # Its start will ask for the rest, and say what is wrong.
        with contextlib.suppress(OSError):
            for group in prepared.groups:
                standard = standard_streams(prepared.plan, group.name)
                for index in range(group.workers):
                    worker_id = worker_name(group.name, index, 1)
                    self._waiting[worker_id] = Interpreter(worker_id, standard)

    def take(self, worker_id: str) -> Interpreter | None:
        """The one that waits to be this worker; it is the caller's from now on."""
        return self._waiting.pop(worker_id, None)

    def close(self) -> None:
        """Leave nothing of those that nobody took. Legal more than once."""
        for interpreter in self._waiting.values():
            interpreter.kill()
        while self._waiting:
            self._waiting.popitem()[1].abandon()


@runtime_checkable
class TakesEarly(Protocol):
    """A supervisor whose workers may have begun before it."""

    def take_early(self, early: Early) -> None:
        """Take over those that wait; called before anything is started."""


@contextmanager
def begun_early(prepared: Prepared) -> Iterator[Early]:
    """Start the processes of a run's workers, if they may begin now; gives those that wait.

    Whichever of them nobody has taken by the end of the block is killed.

    :raises SystemLimitError: when the system has no room for all of them.
    """
    early = Early()
    try:
        if prepared.mode == PROCESS_SUPERVISOR:
            check_room(prepared.groups)
        if prepared.mode == PROCESS_SUPERVISOR and not _may_be_refused(prepared.config):
            with without_signals():  # none is forgotten between its start and its place here
                early.begin(prepared)
        yield early
    finally:
        early.close()


def _may_be_refused(config: Config) -> bool:
    """Whether the run still insists on what it may not get: then no process is to be started."""
    platform = config.runtime.platform
    return platform.admin.enabled is True or platform.health.enabled or exits_are_lost()
