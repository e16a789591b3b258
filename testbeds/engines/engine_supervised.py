"""Stories of a supervisor in this process: a stop, a harmed worker, a start that fails."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from contract_engines import WORKERS, Engine
from engine_configuration import HARMED, OLD, OUTPUT, PATIENCE, RUN_ID, configuration, places
from sk_config import build_config
from sk_kernel import (
    BootstrapSupervisor,
    KernelError,
    LifecycleEvent,
    Progress,
    RunSetup,
    RunStatus,
)
from sk_observability import LifecycleLog
from sk_supervisor import prepare, supervisor_of

_PARTIAL: Final = f"{OUTPUT}.partial"


class _Log(LifecycleLog):
    """A log that tells of the drain before it begins, in the thread that is about to begin it."""

    on_drain: Callable[[], None]

    def __init__(self) -> None:
        super().__init__(RUN_ID, level="debug")
        self._came = threading.Condition()

    def emit(self, name: str, **about: Any) -> LifecycleEvent | None:
        """Emit it."""
        if name == "drain_begun":
            self.on_drain()
        event = super().emit(name, **about)
        with self._came:
            self._came.notify_all()
        return event

    def wait_for(self, have_come: Callable[[], bool]) -> None:
        """Wait until events of which this is true have been emitted."""
        with self._came:
            if not self._came.wait_for(have_come, PATIENCE):
                raise AssertionError("the events have not come in time")


@dataclass
class Seen:
    """A run by a supervisor in this process, with what it was seen to be on the way."""

    folder: Path
    supervisor: BootstrapSupervisor
    groups: tuple[str, ...]
    log: _Log
    status: dict[str, RunStatus] = field(default_factory=dict)
    living: set[int] = field(default_factory=set)
    outcome: str = ""
    rung: str = ""
    error: KernelError | None = None
    ready_at: float = 0.0
    """When all groups were ready, by the monotonic clock."""
    on_progress: Callable[[Progress], None] = lambda _: None

    @property
    def events(self) -> list[LifecycleEvent]:
        """The lifecycle events, in order."""
        return list(self.log.events())

    def named(self, name: str) -> list[LifecycleEvent]:
        """The events of one name."""
        return [event for event in self.events if event.name == name]

    def start(self) -> None:
        """Start every group, and wait until all are ready."""
        self.supervisor.start_groups(self.groups)
        if not self.supervisor.wait_ready(PATIENCE):
            raise AssertionError("not ready in time")
        self.ready_at = time.monotonic()
        self.status["ready"] = self.supervisor.snapshot()

    def run(self) -> None:
        """Do the work, keep the error that it ends with, and stop."""
        try:
            self.outcome = self.supervisor.run().outcome
        except KernelError as error:
            self.error = error
        self.status["worked"] = self.supervisor.snapshot()
        self.rung = self.supervisor.shutdown()
        self.status["stopped"] = self.supervisor.snapshot()

    def partial(self) -> list[str]:
        """The lines of the partial file."""
        return (self.folder / _PARTIAL).read_text().splitlines()


@contextmanager
def supervised(engine: Engine, folder: Path, **changes: Any) -> Iterator[Seen]:
    """A supervisor, made as the framework makes it, that is shut down in any case."""
    (folder / OUTPUT).write_text(OLD)
    prepared = prepare(build_config(configuration(engine, folder, **changes)))
    groups = tuple(group.name for group in prepared.groups)
    log = _Log()

    def progressed(progress: Progress) -> None:
        seen.on_progress(progress)

    def drains() -> None:
        seen.status["draining"] = supervisor.snapshot()

    log.on_drain = drains
    setup = RunSetup(
        run_id=RUN_ID,
        config=prepared.config,
        groups=groups,
        application=prepared.application,
        plan=prepared.plan,
        limits=prepared.limits,
        log=log,
        on_progress=progressed,
    )
    supervisor = supervisor_of(prepared.mode, setup)
    seen = Seen(folder, supervisor, groups or ("memory",), log)
    try:
        yield seen
    finally:
        supervisor.shutdown()
        log.close()


def stopped(engine: Engine, folder: Path) -> Seen:
    """A run without an end that is asked to stop in full flow."""
    gate = _gate(folder)
    weigh = {"at": HARMED, "do": "wait", "gate": str(gate)}
    with supervised(engine, folder, count=0, weigh=weigh) as seen:

        def stop() -> None:
            status = seen.status["running"] = seen.supervisor.snapshot()
            pids = {worker.pid for worker in status.workers()}
            seen.living |= {pid for pid in pids if psutil.pid_exists(pid)}
            seen.supervisor.request_stop("test")

        with _at(gate, stop):
            seen.start()
            seen.run()
    return seen


def harmed(engine: Engine, folder: Path, do: str, **changes: Any) -> Seen:
    """A run in which ``weigh`` does harm to its own process."""
    with supervised(engine, folder, weigh={"at": HARMED, "do": do}, **changes) as seen:
        seen.start()
        seen.run()
    return seen


def unborn(engine: Engine, folder: Path) -> Seen:
    """A start that fails: a node cannot be made."""
    with supervised(engine, folder, weigh={"born": "raise"}) as seen:
        try:
            seen.start()
        except KernelError as error:
            seen.error = error
        else:
            seen.run()
    return seen


def late(engine: Engine, folder: Path) -> tuple[Seen, float]:
    """A run in which ``weigh`` is not ready for a second after the source; when that was read.

    A worker reports its progress a second after it is ready. If ``weigh`` has another worker, the
    source's has reported by then, and would have begun to read if it did not wait for the others.
    """
    gate, first_read = _gate(folder), folder / "first_read"
    weigh = {"born": "wait", "gate": str(gate)}
    changes: dict[str, Any] = {"count": 100, "first_read": str(first_read), "weigh": weigh}
    with supervised(engine, folder, **changes) as seen, gate.open("r+b", buffering=0) as pipe:
        said: list[Progress] = []

        def open_gate() -> None:
            pipe.write(bytes(WORKERS))

        def progressed(progress: Progress) -> None:
            if (progress.group, progress.state) == (seen.groups[0], "ready"):
                said.append(progress)
                if len(said) == 2:  # the first one is that it is ready
                    open_gate()

        if len(seen.groups) > 1:
            seen.on_progress = progressed
        else:
            open_gate()
        seen.start()
        seen.run()
    return seen, float(first_read.read_text())


def unstoppable(engine: Engine, folder: Path) -> Seen:
    """A run that is asked to stop while a node does not come back, and has one second for it."""
    gate, over = _gate(folder), threading.Event()
    weigh = {"at": HARMED, "do": "wait", "gate": str(gate)}
    brief = {"stop_timeout_seconds": 1}
    with supervised(engine, folder, count=0, weigh=weigh, group=brief) as seen:

        def stop() -> None:
            seen.supervisor.request_stop("test")
            over.wait(PATIENCE)

        with _at(gate, stop):
            try:
                seen.start()
                seen.run()
            finally:
                over.set()
    return seen


def held(engine: Engine, folder: Path) -> tuple[Seen, list[str]]:
    """A run that is stopped while ``weigh`` is at its first number, held until the groups before it
    have drained; the groups of which a worker had drained by then.
    """
    gate, drained = _gate(folder), list[str]()
    weigh = {"at": 1, "do": "wait", "gate": str(gate)}
    patient = {"stop_timeout_seconds": 600}
    with supervised(engine, folder, count=0, weigh=weigh, group=patient) as seen:
        before = _before(engine, "weigh")

        def stop() -> None:
            seen.supervisor.request_stop("test")
            seen.log.wait_for(lambda: before <= set(_drained(seen)))
            drained.extend(_drained(seen))

        with _at(gate, stop):
            seen.start()
            seen.run()
    return seen, drained


def _drained(seen: Seen) -> list[str]:
    return [str(event.group) for event in seen.named("worker_drained")]


def _before(engine: Engine, node: str) -> set[str]:
    """The groups through which a record comes on its way to the one of this node."""
    groups = list(dict.fromkeys(places(engine).values()))
    return set(groups[: groups.index(places(engine)[node])])


def _gate(folder: Path) -> Path:
    gate = folder / "gate"
    os.mkfifo(gate)
    return gate


@contextmanager
def _at(gate: Path, do: Callable[[], object]) -> Iterator[None]:
    """Do something beside the block when a node has come to this gate; then the node goes on."""
    wrong: list[BaseException] = []

    def work() -> None:
        try:
            with gate.open("wb"):  # returns when somebody reads
                do()
        except BaseException as error:  # noqa: BLE001 - it is raised where the block ends
            wrong.append(error)

    thread = threading.Thread(target=work, name="gate", daemon=True)
    thread.start()
    try:
        yield
    finally:
        came = os.open(gate, os.O_RDONLY | os.O_NONBLOCK)  # if nobody else has
        thread.join(PATIENCE)
        os.close(came)
    if wrong:
        raise wrong[0]
