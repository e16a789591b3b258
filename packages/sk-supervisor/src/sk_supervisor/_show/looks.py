"""Figures from two successive statuses of a run: its rate, and each worker's busy share. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sk_kernel import RunStatus, Totals, WorkerStatus


class StatusLook(NamedTuple):
    """A status of a run, and the figures since the status before it."""

    status: RunStatus
    rate: float | None = None
    """Records per second since the previous status."""
    busy: Mapping[str, float] = {}
    """The share of its time that each worker was busy, by worker id; unknown for some."""


class Looks:
    """Successive looks at one run.

    A worker's busy share covers the time that it has reported since the previous look, or its last
    report if there was none since (workers report once a second). At the first look it covers all
    the time of the worker and its predecessors.
    """

    def __init__(self) -> None:
        self._before: RunStatus | None = None
        self._told: dict[tuple[str, int], tuple[Totals, float]] = {}

    def at(self, status: RunStatus) -> StatusLook:
        """The look at the run's current status."""
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
    """Records per second between two looks; 0 if a restart reset the count, None if no time."""
    return max(records, 0) / seconds if seconds > 0 else None


def _spent(totals: Totals) -> float:
    return totals.busy_seconds + totals.idle_seconds + totals.backpressured_seconds
