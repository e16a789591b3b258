"""A supervisor's loop over workers that are not there, with a clock that moves when told."""

from __future__ import annotations

from typing import Any, cast

from sk_config import GroupConfig
from sk_control import WorkerMessage
from sk_observability import LifecycleLog
from sk_supervisor._lives.clock import LoopClock
from sk_supervisor._lives.end_causes import EndCauses
from sk_supervisor._lives.failing import Failing
from sk_supervisor._lives.judge import Judge
from sk_supervisor._lives.record import WorkerRecord
from sk_supervisor._lives.roster import Roster
from sk_supervisor._lives.vitals import ProcessLook
from sk_supervisor._loop.loop import SupervisorLoop
from sk_supervisor._loop.loop_events import LoopEvent
from sk_supervisor._loop.mailbox import Mailbox
from sk_supervisor._loop.span_books import SpanBooks
from sk_supervisor._processes.process import WorkerProcess
from sk_supervisor._supervisor.dispatcher import Dispatcher
from sk_supervisor._text.redaction import Redactor


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


class _Mailbox(Mailbox):
    """One at which the process may be suspended while it waits."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.spans, scene.clock)
        self._scene = scene

    def take(self, timeout_seconds: float | None) -> LoopEvent | None:
        self._scene.sleep()
        return super().take(timeout_seconds)


class Scene:
    """A loop over workers that beat every second and may take five to start; none is followed."""

    def __init__(self, *workers: str, hidden: str = "", **group: Any) -> None:
        self.now = 0.0
        self.clock = LoopClock(lambda: self.now)
        self.log = LifecycleLog("r1", level="debug")
        self.roster = Roster(
            self.log,
            lambda _: None,
            clean=Redactor([hidden]),
            forget=lambda worker: self.mailbox.forget(worker),
            skipped=lambda worker: self.mailbox.skipped(worker),
        )
        self.ready: list[bool] = []
        self.stops: list[bool] = []
        self.looks: dict[float, tuple[str, float]] = {}
        self.looked_at: list[float] = []
        self.causes = EndCauses(self.clock)
        self.spans = SpanBooks()
        self._suspension: tuple[float, tuple[LoopEvent, ...]] = (0.0, ())
        self.mailbox = _Mailbox(self)
        failing = Failing(self.roster, self.causes, follow=lambda _: False)
        judge = Judge(self.roster, self.log, failing, self._look)
        dispatcher = Dispatcher(
            self.roster,
            log=self.log,
            clock=self.clock,
            causes=self.causes,
            failing=failing,
            judge=judge,
            on_ready=lambda: self.ready.append(True),
            on_stop=self.stops.append,
        )
        self.loop = SupervisorLoop(
            self.mailbox, dispatcher.dispatch, judge=judge, log=self.log, clock=self.clock
        )
        patience = {"heartbeat_seconds": 1, "start_timeout_seconds": 5}
        self.group = {"nodes": ("n",), **patience, **group}
        for name in workers or ("a",):
            self.spawn(name, GroupConfig(name=name, **self.group))

    def _look(self, pid: int, now: float) -> ProcessLook:
        self.looked_at.append(now)
        return ProcessLook(now, *self.looks.get(now, ("sleeping", 0.0)))

    def spawn(self, worker: str, group: GroupConfig, **place: Any) -> WorkerRecord:
        """Another worker comes."""
        process = cast("WorkerProcess", Process())
        start_by = self.now + group.start_timeout_seconds
        record = WorkerRecord(worker, group, process, start_by, self.now, **place)
        self.roster.add(record)
        return record

    def suspend(self, seconds: float, *events: LoopEvent) -> None:
        """The process is suspended so long in the next wait, which these events end."""
        self._suspension = seconds, events

    def sleep(self) -> None:
        seconds, events = self._suspension
        self._suspension = 0.0, ()
        self.now += seconds
        for event in events:
            self.mailbox.put(event)

    def record(self, worker: str = "a") -> WorkerRecord:
        record = self.roster.get(worker)
        assert record is not None
        return record

    def take(self, *events: Any) -> None:
        for event in events:
            self.mailbox.put(event)
            self.loop.step(self.clock.now())

    def says(self, message: Any, worker: str = "a") -> None:
        self.take(WorkerMessage(worker, message))

    def at(self, now: float) -> None:
        """Let time pass in small steps, as it does for a loop that is awake."""
        while self.now < now:
            self.now = min(now, self.now + 0.5)
            self.loop.step(self.clock.now())

    def names(self, worker: str | None = "a") -> list[str]:
        """The events of a worker, in order."""
        return [e.name for e in self.log.events() if e.worker == worker]
