"""A supervisor's loop over workers that are not there, with a clock that moves when told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from sk_config import GroupConfig
from sk_control import WorkerMessage
from sk_observability import LifecycleLog
from sk_supervisor._process import WorkerProcess
from sk_supervisor._redaction import Redactor
from sk_supervisor._roster import Roster, WorkerRecord
from sk_supervisor._vitals import Look
from sk_supervisor._watch import Watch


class Process:
    """Stands for a process where only what it says of itself matters."""

    pid = 1
    alive = True

    def __init__(self, end: str = "") -> None:
        self.end = end

    def ended(self) -> str:
        return self.end

    def tail(self) -> tuple[str, ...]:
        return ("last line",)


class Scene:
    """A watch over workers that beat every second and may take five to start."""

    def __init__(
        self, *workers: str, times: Iterable[float] = (), hidden: str = "", **group: Any
    ) -> None:
        self.now = 0.0
        self._times = iter(times)
        self.log = LifecycleLog("r1", level="debug")
        self.roster = Roster(self.log, lambda _: None, Redactor([hidden]))
        self.ready: list[bool] = []
        self.stops: list[int] = []
        self.looks: dict[float, tuple[str, float]] = {}
        self.watch = Watch(
            self.roster,
            self.log,
            on_ready=lambda: self.ready.append(True),
            on_stop=self.stops.append,
            clock=self.clock,
            look=lambda pid, now: Look(now, *self.looks.get(now, ("sleeping", 0.0))),
        )
        patience = {"heartbeat_seconds": 1, "start_timeout_seconds": 5}
        self.group = {"nodes": ("n",), **patience, **group}
        for name in workers or ("a",):
            self.spawn(name, GroupConfig(name=name, **self.group))

    def spawn(self, worker: str, group: GroupConfig, **place: Any) -> WorkerRecord:
        """Another worker comes."""
        process = cast("WorkerProcess", Process())
        start_by = self.now + group.start_timeout_seconds
        record = WorkerRecord(worker, group, process, start_by, self.now, **place)
        self.roster.add(record)
        return record

    def clock(self) -> float:
        self.now = next(self._times, self.now)
        return self.now

    def record(self, worker: str = "a") -> WorkerRecord:
        record = self.roster.get(worker)
        assert record is not None
        return record

    def take(self, *happenings: Any) -> None:
        for happening in happenings:
            self.watch.put(happening)
            self.watch.step(self.now)

    def says(self, message: Any, worker: str = "a") -> None:
        self.take(WorkerMessage(worker, message))

    def at(self, now: float) -> None:
        """Let time pass in small steps, as it does for a loop that is awake."""
        while self.now < now:
            self.now = min(now, self.now + 0.5)
            self.watch.step(self.now)

    def names(self, worker: str | None = "a") -> list[str]:
        """The events of a worker, in order."""
        return [e.name for e in self.log.events() if e.worker == worker]
