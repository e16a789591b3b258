"""The memory limit of a worker: the supervisor checks its resident memory once a second.

With a limit of the system (``RLIMIT_AS``, a cgroup) the worker would fail at some allocation, or be
killed without a message; with this one its failure has a category, and the run has the evidence.
Allocations within a second may exceed the limit: only a limit of the container stops those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from typing import Final

from sk_supervisor._lives.evidence import Breakage
from sk_supervisor._lives.lifecycle import Event, step
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.roster import Roster
from sk_supervisor._protocol.failures import MEMORY
from sk_supervisor._system.resident import resident_bytes

LOOK_SECONDS: Final = 1.0
"""The time between two checks of the workers that have a limit."""


class MemoryLimits:
    """An alarm of the loop; never due if no group has a limit.

    :param fail: handles the failure of a worker.
    :param weigh: returns the resident memory of a process, by its id; None if the process is gone.
    """

    def __init__(
        self,
        roster: Roster,
        fail: Callable[[WorkerRecord, Breakage], None],
        weigh: Callable[[int], int | None] = resident_bytes,
    ) -> None:
        self._roster, self._fail, self._weigh = roster, fail, weigh
        self._next = -inf

    def due(self) -> float | None:
        """When the workers are to be checked next; None while none of them has a limit."""
        return self._next if any(True for _ in self._limited()) else None

    def ring(self, now: float) -> None:
        """Fail every worker that exceeds its group's limit."""
        self._next = now + LOOK_SECONDS
        for record, limit in list(self._limited()):
            used = self._weigh(record.process.pid)
            if used is not None and used > limit:
                problem = f"uses {used} bytes of memory, over the limit of {limit}"
                self._fail(record, Breakage(MEMORY, problem))

    def _limited(self) -> Iterator[tuple[WorkerRecord, int]]:
        for record in self._roster:
            limit = record.group.max_rss_bytes
            if limit is not None and step(record.state, Event.BROKE):
                yield record, limit
