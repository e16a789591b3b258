"""The workers of a run, each in its place, and their transitions by the lifecycle table."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sk_kernel import EventRail, GroupStatus, Totals, WorkerStatus
from sk_observability import EventName

from sk_supervisor._lives.evidence import Breakage, Evidence, facts
from sk_supervisor._lives.lifecycle import (
    Event,
    GroupEvent,
    GroupLife,
    State,
    Transition,
    advance,
    overall,
    regroup,
    step,
)
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.vitals import Vitals
from sk_supervisor._protocol.failures import CRASH
from sk_supervisor.errors import AtHand

#: A group, and an index in it.
Place = tuple[str, int]
#: How a worker may end, the best way first.
_MODES = ("graceful", "exited", "forced")


class Roster:
    """Applies the lifecycle table to workers and emits its events. The loop's thread only.

    For each place in a group it has the record of the latest incarnation; :meth:`get` also finds
    the one before it, whose last messages may still arrive. The totals of earlier ones are kept as
    a sum.

    :param on_change: called with a worker whose record has changed.
    :param clean: masks secrets in a text.
    :param forget: called with each worker whose record is dropped.
    :param at_hand: returns the batches that a worker has not passed on, if that is known.
    :param skipped: returns how many records a worker has skipped, up to the last batch it passed
        on.
    """

    def __init__(
        self,
        log: EventRail,
        on_change: Callable[[WorkerRecord], None],
        *,
        clean: Callable[[str], str] = str,
        forget: Callable[[str], None] = lambda _: None,
        at_hand: Callable[[str], AtHand | None] = lambda _: None,
        skipped: Callable[[str], int] = lambda _: 0,
    ) -> None:
        self._log, self.changed, self._clean, self._forget = log, on_change, clean, forget
        self._at_hand, self._skipped = at_hand, skipped
        self._lock = threading.Lock()
        self._places: dict[Place, WorkerRecord] = {}
        self._former: dict[Place, WorkerRecord] = {}
        self._sums: dict[Place, Totals] = {}
        """By place, the totals of all workers before the former one."""
        self._groups: dict[str, GroupLife] = {}

    def add(self, record: WorkerRecord) -> None:
        """Add a spawned worker; it takes the place of its predecessor, which has stopped."""
        group, place = record.group.name, (record.group.name, record.index)
        record.skipped_with_batches = self._skipped
        former = self._places.get(place)
        if former is not None:
            record.last_failure = former.failure_line()
            record.predecessor_came_up = former.came_up
            record.place_since = former.place_since
        if group not in self._groups or former is not None:
            self._groups[group] = GroupLife()
        forgotten = self._put(place, record)
        if forgotten is not None:
            self._forget(forgotten.worker_id)
        self._emit(EventName.WORKER_SPAWNED, record, {"pid": record.process.pid})
        self.changed(record)

    def _put(self, place: Place, record: WorkerRecord) -> WorkerRecord | None:
        """Put a record into its place; return the one before its predecessor, now in the sum."""
        with self._lock:
            last, oldest = self._places.get(place), self._former.get(place)
            if oldest is not None:
                self._sums[place] = self._sums.get(place, Totals()) + oldest.totals()
            if last is not None:
                self._former[place] = last
            self._places[place] = record
        return oldest

    def __iter__(self) -> Iterator[WorkerRecord]:
        return iter(self._places.values())

    def totals(self) -> dict[Place, Totals]:
        """Return the totals of each place, over all incarnations. Any thread."""
        with self._lock:
            totals = dict(self._sums)
            records = [*self._former.items(), *self._places.items()]
        for place, record in records:
            totals[place] = totals.get(place, Totals()) + record.totals()
        return totals

    def get(self, worker_id: str) -> WorkerRecord | None:
        """Return the record of a worker; None if the worker is unknown, or was forgotten."""
        known = *self._places.values(), *self._former.values()
        return next((record for record in known if record.worker_id == worker_id), None)

    def apply(self, record: WorkerRecord, event: Event, **fields: Any) -> Transition | None:
        """Apply an event to a worker; return None if it changes nothing."""
        return self._step(record, event, fields)

    def _step(
        self, record: WorkerRecord, event: Event, fields: Mapping[str, Any], *, alone: bool = False
    ) -> Transition | None:
        record.life, transition = advance(record.life, event)
        if transition is None:
            return None
        if transition.emits is not None:
            self._emit(transition.emits, record, fields)
        if not alone:
            self._regroup(record.group.name)
        self.changed(record)
        return transition

    def broke(
        self,
        record: WorkerRecord,
        breakage: Breakage,
        event: Event = Event.BROKE,
        vitals: Vitals | None = None,
    ) -> Transition | None:
        """Record the failure of a worker with its evidence; only the first failure is kept.

        Returns None if it is not the first. Does not wait: the caller has waited for the exit and
        the last lines, if they matter.
        """
        transition = step(record.state, event)
        if transition is None or transition.state is not State.FAILED:
            return None
        message = self._clean(breakage.message)
        record.breakage, record.failed_in = replace(breakage, message=message), record.state
        tail, ended = record.process.tail(), record.process.ended()
        counts, at_hand = record.standstill.counts, self._at_hand(record.worker_id)
        record.evidence = Evidence(ended, tail, counts, vitals, record.position, at_hand)
        return self.apply(record, event, **facts(record.breakage, record.evidence))

    def released(self, record: WorkerRecord, *, followed: bool = False) -> None:
        """Record that a worker's process is gone.

        If a successor follows at once, the group has not stopped, and no event says so. A worker
        that was not asked to end, and whose exit was not handled yet, has crashed.
        """
        self.broke(record, Breakage(CRASH), Event.EXITED)
        rung, ended = record.rung.name.lower(), record.process.ended()
        fields = {"mode": record.mode, "rung": rung, "ended": ended}
        self._step(record, Event.RELEASED, fields, alone=followed)

    def ready_groups(self) -> set[str]:
        """Return the groups of which every worker is ready or running."""
        late = {r.group.name for r in self if r.state not in (State.READY, State.RUNNING)}
        return {r.group.name for r in self} - late

    def late(self) -> list[str]:
        """Return the workers that are not ready or running."""
        return [r.worker_id for r in self if r.state not in (State.READY, State.RUNNING)]

    def in_order(self, groups: Iterable[str]) -> list[WorkerRecord]:
        """Return the workers, in the order of their groups."""
        rank = {name: i for i, name in enumerate(groups)}
        return sorted(self, key=lambda r: rank.get(r.group.name, len(rank)))

    def snapshot(self, now: float) -> tuple[GroupStatus, ...]:
        """Return the status of the started groups, with their workers, at ``now``. Any thread.

        Progress is read before any state: so no worker that records have passed is shown as
        ``ready``, not yet ``running``.
        """
        come = [(record, record.progress) for record in list(self)]
        totals = self.totals()
        groups: dict[str, list[WorkerStatus]] = {}
        for record, progress in come:
            place = record.group.name, record.index
            status = record.status(now, totals.get(place, Totals()), progress)
            groups.setdefault(record.group.name, []).append(status)
        return tuple(
            GroupStatus(
                name=name,
                state=str(overall(State(w.state) for w in workers)),
                restarts=sum(w.incarnation - 1 for w in workers),
                workers=tuple(workers),
            )
            for name, workers in groups.items()
        )

    def _regroup(self, name: str) -> None:
        members = [r for r in self if r.group.name == name]
        self._groups[name], emits = regroup(self._groups[name], [r.state for r in members])
        if emits is None:
            return
        fields: dict[str, object] = {"workers": len(members)}
        if emits is GroupEvent.STOPPED:
            # The group's mode is the worst mode of its workers.
            fields["mode"] = max((r.mode for r in members), key=_MODES.index)
        self._log.emit(emits, group=name, fields=fields)

    def _emit(self, name: EventName, record: WorkerRecord, fields: Mapping[str, Any]) -> None:
        told = record.breakage if name is EventName.WORKER_FAILED else None
        self._log.emit(
            name,
            group=record.group.name,
            worker=record.worker_id,
            fields=fields,
            trace_id=(told.trace_id or None) if told else None,
        )
