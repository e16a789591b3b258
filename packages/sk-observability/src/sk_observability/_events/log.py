"""The lifecycle log of a run: numbers events, keeps the latest in a ring, and exports them."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal

import msgspec
from msgspec.structs import replace
from sk_kernel import LifecycleEvent

from sk_observability._events.bucket import RateLimit, full_bucket, take
from sk_observability._events.clean import clean_fields
from sk_observability._exporting.outlet import ExporterCounts, Outlet

Level = Literal["info", "debug"]
"""The level of detail: `info` leaves out events of level `debug`."""

# Each level has its own limit, so that a flood of debug events never displaces a checkpoint. A
# thousand workers that start at once stay below the limit of info; endless restarts exceed it.
LIMITS: Final[Mapping[Level, RateLimit]] = {
    "info": RateLimit(per_second=1000, burst=10_000),
    "debug": RateLimit(per_second=100, burst=200),
}


EVENTS_FLOODED: Final = "events_flooded"
"""The last event of a log that dropped events over the rate limit: their number by level."""


class LifecycleCounts(msgspec.Struct, frozen=True):
    """The outcomes of the events that the configured level admits.

    `recorded` events have a sequence number, `fell_out` of them are no longer in the ring, and
    `flooded` events exceeded the rate limit of their level and were dropped.
    """

    recorded: int
    fell_out: int
    flooded: dict[str, int]
    exporters: tuple[ExporterCounts, ...]


class LifecycleLog:
    """Numbers, timestamps and cleans events, keeps the latest, and passes them to the exporters.

    `correlation_id` is the run's id, `trace_id` the trace of every event that names no other.
    `enabled` and `level` are those of the configuration's `lifecycle_events`: with `info`, events
    of level debug are dropped. `clock` returns nanoseconds since the epoch. Safe in any thread, but
    an exporter must not call `emit`.
    """

    def __init__(
        self,
        correlation_id: str,
        exporters: Iterable[Outlet[LifecycleEvent]] = (),
        *,
        enabled: bool = True,
        level: Level = "info",
        ring_size: int = 1000,
        limits: Mapping[Level, RateLimit] = LIMITS,
        clock: Callable[[], int] = time.time_ns,
        trace_id: str | None = None,
    ) -> None:
        self._correlation_id, self._outlets = correlation_id, tuple(exporters)
        self._trace_id = trace_id
        levels: tuple[Level, ...] = ("info", "debug") if level == "debug" else ("info",)
        self._levels = levels if enabled else ()
        self._ring: deque[LifecycleEvent] = deque(maxlen=ring_size)
        self._limits, self._clock = limits, clock
        self._buckets = {name: full_bucket(limits[name], clock()) for name in self._levels}
        self._recorded, self._flood_told = 0, False
        self._flooded: Counter[str] = Counter()
        # Two locks: exporters get the events in order, and readers of the ring never wait for one.
        self._exporting, self._recording = threading.Lock(), threading.Lock()

    def emit(
        self,
        name: str,
        *,
        level: Level = "info",
        group: str | None = None,
        worker: str | None = None,
        fields: Mapping[str, object] | None = None,
        trace_id: str | None = None,
    ) -> LifecycleEvent | None:
        """Record and export an event; return None if its level or its level's rate excludes it.

        `name` is an `EventName` or any other name. When this returns, the event is exported,
        counted as dropped, or held by an exporter that sends later. Exporters' errors do not
        propagate.
        """
        if level not in self._levels:
            return None
        draft = LifecycleEvent(
            sequence=0,
            time_ns=0,
            name=str(name),
            level=level,
            correlation_id=self._correlation_id,
            group=group,
            worker=worker,
            fields=clean_fields(fields or {}),
            trace_id=trace_id or self._trace_id,
        )
        return self._export(draft)

    def events(self) -> tuple[LifecycleEvent, ...]:
        """The events that the ring still holds, in order."""
        with self._recording:
            return tuple(self._ring)

    def after(self, sequence: int) -> tuple[LifecycleEvent, ...]:
        """The events after a sequence number that the ring still holds, in order."""
        return tuple(event for event in self.events() if event.sequence > sequence)

    def counts(self) -> LifecycleCounts:
        """Return the outcomes of the events so far."""
        exporters = tuple(outlet.counts for outlet in self._outlets)
        with self._recording:
            fell_out = self._recorded - len(self._ring)
            return LifecycleCounts(self._recorded, fell_out, dict(self._flooded), exporters)

    def finish(self, within_seconds: float = math.inf) -> None:
        """Have exporters that send later begin to send the events that they hold. Does not wait.

        `within_seconds` bounds the time of this and `close`, from now on; see `Outlet.finish`. If
        events exceeded their level's rate limit, a last event, exempt from the limit, reports their
        number: `events_flooded`, with a field for each level.
        """
        self._tell_flood()
        for outlet in self._outlets:
            outlet.finish(within_seconds)

    def close(self) -> None:
        """Finish, and close the exporters. Each counts later events as dropped.

        Exporters that send later do so in parallel: this takes as long as the slowest, not the sum.
        """
        self.finish()
        for outlet in self._outlets:
            outlet.close()

    def _tell_flood(self) -> None:
        flooded = self.counts().flooded
        if not flooded or self._flood_told:
            return
        self._flood_told = True
        draft = LifecycleEvent(
            sequence=0,
            time_ns=0,
            name=EVENTS_FLOODED,
            correlation_id=self._correlation_id,
            fields=dict(flooded),
            trace_id=self._trace_id,
        )
        self._export(draft, whatever_the_rate=True)

    def _export(
        self, draft: LifecycleEvent, *, whatever_the_rate: bool = False
    ) -> LifecycleEvent | None:
        with self._exporting:
            event = self._record(draft, whatever_the_rate=whatever_the_rate)
            if event is not None:
                for outlet in self._outlets:
                    outlet.export((event,))
        return event

    def _record(self, draft: LifecycleEvent, *, whatever_the_rate: bool) -> LifecycleEvent | None:
        level = draft.level
        with self._recording:
            now = self._clock()
            if not (whatever_the_rate or self._admits(level, now)):
                self._flooded[level] += 1
                return None
            self._recorded += 1
            event = replace(draft, sequence=self._recorded, time_ns=now)
            self._ring.append(event)
            return event

    def _admits(self, level: Level, now: int) -> bool:
        self._buckets[level], admitted = take(self._buckets[level], self._limits[level], now)
        return admitted
