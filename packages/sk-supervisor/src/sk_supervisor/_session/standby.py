"""Standby processes: they start before the supervisor, which assigns a worker to each later.

The imports of the supervisor take half as long as those of a worker, so both are done at the same
time. It is done after the preflight only, since a rejected run must not start any process.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sk_supervisor._limits.check import check_room
from sk_supervisor._plan.supervisors import PROCESS_SUPERVISOR
from sk_supervisor._processes.spawn import StandbyProcess, standard_streams
from sk_supervisor._protocol.worker_ids import worker_name
from sk_supervisor._system.exit import exits_are_lost
from sk_supervisor._system.signals import without_signals

if TYPE_CHECKING:
    from sk_config import Config

    from sk_supervisor._plan.preflight import Prepared


class StandbyPool:
    """The processes that wait for their assignment, by worker id. Not thread-safe.

    ``began_at`` is a time before the start of any of them, on the monotonic clock.
    """

    def __init__(self) -> None:
        self.began_at = time.monotonic()
        self._waiting: dict[str, StandbyProcess] = {}

    def begin(self, prepared: Prepared) -> None:
        """Start a process for each worker of a run, as far as the system can create them."""
        # The start of the run creates the missing ones, or reports the error.
        with contextlib.suppress(OSError):
            for group in prepared.groups:
                standard = standard_streams(prepared.plan, group.name)
                for index in range(group.workers):
                    worker_id = worker_name(group.name, index, 1)
                    self._waiting[worker_id] = StandbyProcess(worker_id, standard)

    def take(self, worker_id: str) -> StandbyProcess | None:
        """Remove and return the process that waits for this worker; None if there is none."""
        return self._waiting.pop(worker_id, None)

    def close(self) -> None:
        """Kill the processes that were not taken. Idempotent."""
        for standby in self._waiting.values():
            standby.kill()
        while self._waiting:
            self._waiting.popitem()[1].abandon()


@runtime_checkable
class TakesStandby(Protocol):
    """A supervisor that can use worker processes that were started before it."""

    def take_standby(self, pool: StandbyPool) -> None:
        """Take over the waiting processes; called before any group is started."""


@contextmanager
def started_standby(prepared: Prepared) -> Iterator[StandbyPool]:
    """Start the processes of a run's workers, if they may be started now, and yield them.

    Those that have not been taken by the end of the block are killed.

    :raises SystemLimitError: when a limit of the system is too low for all of them.
    """
    pool = StandbyPool()
    try:
        if prepared.mode == PROCESS_SUPERVISOR:
            check_room(prepared.groups)
        if prepared.mode == PROCESS_SUPERVISOR and not _may_be_refused(prepared.config):
            with without_signals():  # so that no process is lost between its start and its entry
                pool.begin(prepared)
        yield pool
    finally:
        pool.close()


def _may_be_refused(config: Config) -> bool:
    """Whether the run may still be rejected after the preflight, so must not start processes."""
    platform = config.runtime.platform
    return platform.admin.enabled is True or platform.health.enabled or exits_are_lost()
