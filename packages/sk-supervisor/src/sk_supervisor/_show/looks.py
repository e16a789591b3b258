"""What two looks at a run tell: its rate, and how busy each worker was in between. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sk_kernel import RunStatus, Totals, WorkerStatus


class StatusLook(NamedTuple):
    """A run as it was seen."""

    status: RunStatus
    rate: float | None = None
    """Records a second, since the look before it."""
    busy: Mapping[str, float] = {}
    """The share of its time that each worker was at work, by its id; of some it is not known."""


class Looks:
    """Looks at one run, one after the other.

    A worker's share is of the time that it has told of since the look before (it does so once a
    second), or when it last did; at the first look, of all its time and its predecessors'.
    """

    def __init__(self) -> None:
        self._before: RunStatus | None = None
        self._told: dict[tuple[str, int], tuple[Totals, float]] = {}

    def at(self, status: RunStatus) -> StatusLook:
        """The look at a run that is like this now."""
        before, self._before = self._before, status
        rate = None
        if before is not None:
            seconds = status.age_seconds - before.age_seconds
            rate = per_second(status.records_in - before.records_in, seconds)
        return StatusLook(status, rate, dict(self._busy(status)))

    def _busy(self, status: RunStatus) -> Iterator[tuple[str, float]]:
        for group in status.groups:
            for worker in group.workers:
                place = group.name, worker.index
                self._hear(place, worker)
                if worker.alive and place in self._told:
                    yield worker.worker_id, self._told[place][1]

    def _hear(self, place: tuple[str, int], worker: WorkerStatus) -> None:
        since, _ = self._told.get(place, (Totals(), 0.0))
        spent = _spent(worker.totals) - _spent(since)
        if spent > 0:
            busy = worker.totals.busy_seconds - since.busy_seconds
            self._told[place] = worker.totals, busy / spent


def per_second(records: int, seconds: float) -> float | None:
    """Records a second between two looks; none where a worker begins again, None in no time."""
    return max(records, 0) / seconds if seconds > 0 else None


def _spent(totals: Totals) -> float:
    return totals.busy_seconds + totals.idle_seconds + totals.backpressured_seconds
