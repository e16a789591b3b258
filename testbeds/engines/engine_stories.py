"""What the application is put through on an engine, and what can be known of it afterwards.

A story is told once an engine; many tests look at it.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from contract_engines import Engine, Part
from engines_app import MODULE, Number, Weighed
from sk_config import build_config
from sk_kernel import (
    BootstrapSupervisor,
    BoundaryDispatchInput,
    Envelope,
    KernelError,
    LifecycleEvent,
    RunSetup,
    RunStatus,
    TerminalEvent,
)
from sk_observability import LifecycleLog
from sk_supervisor import ServiceFailedError, prepare, run, serve, supervisor_of

RUN_ID: Final = "r1"
COUNT: Final = 500
HARMED: Final = 250
PATIENCE: Final = 60.0
PARTS: Final = (
    Part("in", ("source:source",)),
    Part("work", ("weigh",), shared=True),
    Part("tally", ("tally",), shared=True),
    Part("out", ("sink:sink",)),
)
OLD: Final = "old\n"
REQUESTS: Final = {"source": {"name": "requests"}, "sink": {"name": "replies"}}
_LOOK_SECONDS: Final = 0.01
_PARTIAL: Final = "out.txt.partial"


def expected(count: int) -> list[str]:
    """The lines that so many numbers come out as, in their order."""
    return [f"{n} {n // 100 + (n % 100 > 0)} {RUN_ID}" for n in range(1, count + 1)]


def configuration(
    engine: Engine,
    folder: Path,
    *,
    count: int = COUNT,
    group: Mapping[str, Any] | None = None,
    weigh: Mapping[str, Any] | None = None,
    path: str | None = None,
    events: Mapping[str, Any] | None = None,
    sampling: float = 1.0,
    adapters: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The application on an engine: its output, spans and events go to ``folder``."""
    exporters = {
        kind: [{"kind": "jsonl", "settings": {"path": str(folder / f"{kind}.jsonl")}}]
        for kind in ("spans", "events")
    }
    blocks: dict[str, Any] = {
        "bootstrap": {"mode": engine.mode},
        "process_groups": [{**each, **(group or {})} for each in engine.groups(PARTS)],
        "batch": {"max_records": 20},
    }
    if engine.in_processes:
        blocks["execution_ipc"] = {"transport": "tcp_local", "control": {"transport": "tcp_local"}}
    return {
        "version": 1,
        "scenario": "engines",
        "runtime": {
            "discovery_modules": [MODULE],
            "platform": blocks,
            "observability": {
                "tracing": {"exporters": exporters["spans"], "sampling_ratio": sampling},
                "logging": {
                    "exporters": exporters["events"],
                    "lifecycle_events": events or {"level": "debug"},
                },
            },
        },
        "nodes": {"weigh": dict(weigh)} if weigh else {},
        "adapters": adapters
        or {
            "source": {"name": "numbers", "settings": {"count": count}},
            "sink": {"name": "lines", "settings": {"path": path or str(folder / "out.txt")}},
        },
    }


@dataclass(frozen=True)
class Told:
    """A run from its configuration to its exit code, as ``sk run`` does it."""

    folder: Path
    code: int
    said: str

    @property
    def output(self) -> str:
        """What is in the place of the output, where an old one was before."""
        return (self.folder / "out.txt").read_text()

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Every span of every process."""
        return _documents(self.folder, "spans*.jsonl")

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lifecycle events, in order."""
        return _documents(self.folder, "events.jsonl")

    def named(self, name: str) -> list[dict[str, Any]]:
        """The events of one name."""
        return [event for event in self.events if event["event"] == name]

    def at(self, name: str) -> list[int]:
        """The places of the events of one name."""
        return [event["sequence"] for event in self.named(name)]


def told(engine: Engine, folder: Path, **changes: Any) -> Told:
    """Run the application to its end, whatever that is."""
    (folder / "out.txt").write_text(OLD)
    said = io.StringIO()
    config = build_config(configuration(engine, folder, **changes))
    code = run(config, run_id=RUN_ID, stderr=said)
    return Told(folder, code, said.getvalue())


@dataclass
class Seen:
    """A run by a supervisor in this process, with what it was seen to be on the way."""

    folder: Path
    supervisor: BootstrapSupervisor
    groups: tuple[str, ...]
    log: LifecycleLog
    status: dict[str, RunStatus] = field(default_factory=dict)
    living: set[int] = field(default_factory=set)
    outcome: str = ""
    rung: str = ""
    error: KernelError | None = None

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
    (folder / "out.txt").write_text(OLD)
    prepared = prepare(build_config(configuration(engine, folder, **changes)))
    groups = tuple(group.name for group in prepared.groups)
    log = LifecycleLog(RUN_ID, level="debug")
    setup = RunSetup(
        run_id=RUN_ID,
        config=prepared.config,
        groups=groups,
        application=prepared.application,
        plan=prepared.plan,
        limits=prepared.limits,
        log=log,
    )
    supervisor = supervisor_of(prepared.mode, setup)
    try:
        yield Seen(folder, supervisor, groups or ("memory",), log)
    finally:
        supervisor.shutdown()
        log.close()


def stopped(engine: Engine, folder: Path) -> Seen:
    """A run without an end that is asked to stop in full flow."""
    with supervised(engine, folder, count=0) as seen:
        seen.start()
        with _stop_in_flow(seen):
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


def unstoppable(engine: Engine, folder: Path) -> Seen:
    """A run that is asked to stop while a node does not come back, and has one second for it."""
    changes: dict[str, Any] = {"count": 0, "group": {"stop_timeout_seconds": 1}}
    with supervised(engine, folder, weigh={"at": HARMED, "do": "block"}, **changes) as seen:
        seen.start()
        with _stop_in_flow(seen):
            seen.run()
    return seen


@dataclass(frozen=True)
class Asked(Told):
    """A run that has no input but requests, and what came of each."""

    outcomes: dict[str, TerminalEvent]
    outputs: Sequence[Envelope[Any]]
    refusal: ConnectionError


def places(engine: Engine) -> dict[str, str]:
    """The group of each node; in memory they have one too."""
    groups = engine.groups(PARTS) or [
        {"name": "memory", "nodes": [node for part in PARTS for node in part.nodes]}
    ]
    return {node: group["name"] for group in groups for node in group["nodes"]}


def asked(engine: Engine, folder: Path) -> Asked:
    """Ask nodes by requests, and in the blocking form, and end the run while one is in flight."""
    group = places(engine)
    inputs = [
        BoundaryDispatchInput(Number(3), group["weigh"], "weigh", trace_id="a", reply_to="x"),
        BoundaryDispatchInput(
            Weighed(4, 4, "given"), group["tally"], "tally", trace_id="b", reply_to="y"
        ),
    ]
    stray = BoundaryDispatchInput(Number(5), "no such group", "weigh")
    outcomes: dict[str, TerminalEvent] = {}
    with serve(build_config(configuration(engine, folder, adapters=REQUESTS)), run_id=RUN_ID) as it:
        plain = it.request(Envelope(Number(1), trace_id="plain", reply_to="caller"))
        outcomes["plain"] = plain.wait(PATIENCE)
        outputs = it.execute_boundary(inputs).terminal_outputs
        try:
            it.execute_boundary([stray])
        except ConnectionError as error:
            refusal = error
        late = it.request(Envelope(Number(2), trace_id="late"))
    outcomes["late"] = late.wait(0)
    return Asked(folder, 0, "", outcomes, outputs, refusal)


def killed_on_request(engine: Engine, folder: Path) -> tuple[TerminalEvent, ServiceFailedError]:
    """A request on which ``weigh`` kills its worker, and what the run ends with."""
    weigh = {"at": HARMED, "do": "kill"}
    config = build_config(configuration(engine, folder, weigh=weigh, adapters=REQUESTS))
    try:
        with serve(config, run_id=RUN_ID) as it:
            outcome = it.request(Envelope(Number(HARMED))).wait(PATIENCE)
    except ServiceFailedError as error:
        return outcome, error
    raise AssertionError("a run whose worker was killed has ended well")


@contextmanager
def _stop_in_flow(seen: Seen) -> Iterator[None]:
    """Ask it to stop as soon as something has come through."""
    over = threading.Event()

    def look() -> None:
        until = time.monotonic() + PATIENCE
        while not over.wait(_LOOK_SECONDS) and time.monotonic() < until:
            status = seen.supervisor.snapshot()
            if status.ready and _flows(seen.folder):
                pids = {worker.pid for worker in status.workers()}
                seen.status["running"] = status
                seen.living |= {pid for pid in pids if psutil.pid_exists(pid)}
                seen.supervisor.request_stop("test")
                return

    thread = threading.Thread(target=look, name="stop", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(PATIENCE)


def _flows(folder: Path) -> bool:
    partial = folder / _PARTIAL
    return partial.exists() and partial.stat().st_size > 0


def _documents(folder: Path, pattern: str) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(folder.glob(pattern))
        for line in path.read_text("utf-8").splitlines()
    ]


@contextmanager
def command(engine: Engine, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """``sk run`` as a process of its own, without an end, whose lines come on a pipe."""
    path = folder / "config.json"
    path.write_text(json.dumps(configuration(engine, folder, count=0, path="-", sampling=0.0)))
    arguments = [sys.executable, "-m", "sk_supervisor", "run", str(path), "--run-id", RUN_ID]
    search = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(search)}
    with subprocess.Popen(
        [*arguments, "--quiet"], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()
