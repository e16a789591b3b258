"""What the workers that did not end in time were doing: working, or waiting for others."""

from __future__ import annotations

from collections.abc import Iterable

from sk_supervisor._lives.evidence import at
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._text.units import items_at_hand


def lateness(records: Iterable[WorkerRecord]) -> dict[str, str]:
    """Return what each worker that has not drained was doing when it last reported.

    :param records: source first, sink last; if no worker has work, the others wait for the first.
    """
    late = [record for record in records if record.drained is None]
    busy = [r for r in late if r.standstill.counts.waiting or r.position]
    return {r.worker_id: _about(r, busy or late[:1]) for r in [*busy, *_others(late, busy)]}


def _others(late: list[WorkerRecord], busy: list[WorkerRecord]) -> list[WorkerRecord]:
    return [record for record in late if record not in busy]


def _about(record: WorkerRecord, waited_for: list[WorkerRecord]) -> str:
    if record not in waited_for:
        return f"only waited for {', '.join(each.worker_id for each in waited_for)}"
    waiting = record.standstill.counts.waiting
    work = f", with {items_at_hand(waiting)}" if waiting else ""
    return f"was busy{at(record.position)}{work}" if work or record.position else "had not drained"
