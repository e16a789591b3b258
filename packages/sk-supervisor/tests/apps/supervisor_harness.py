"""What the tests of sk-supervisor run things with."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from sk_config import Config, build_config
from sk_kernel import LifecycleEvent
from sk_observability import LifecycleLog, Outlet
from sk_supervisor import MultiprocessBootstrapSupervisor, RuntimeWorkerFailedError, prepare
from sk_supervisor._system.signals import ECHO_SECONDS

APPS = Path(__file__).parent
#: How long a test waits for what must come, however busy the machine is.
PATIENCE = 60.0
GROUPS: tuple[dict[str, Any], ...] = (
    {"name": "in", "nodes": ["source:source", "split"]},
    {"name": "mid", "nodes": ["work", "tally_up"]},
    {"name": "out", "nodes": ["sink:sink"]},
)
#: For what does not hang on how many they are: each process takes its time to start.
ONE_GROUP: tuple[dict[str, Any], ...] = (
    {"name": "mid", "nodes": [node for group in GROUPS for node in group["nodes"]]},
)
MIDDLE, LAST = "mid-0.1", "out-0.1"
#: Of groups of which nobody may wait for what a stop may take.
PATIENT: dict[str, Any] = {"stop_timeout_seconds": 600}


def expected(count: int, run_id: str = "r1") -> list[str]:
    """The lines that ``count`` numbers come out as."""
    lines = []
    odd = 0
    for n in range(1, count + 1):
        if n % 10 == 0:
            continue
        odd += n % 2
        lines.append(f"{n} {odd} {n} {run_id}" if n % 2 else f"{n} even")
    return [*lines, f"total {odd}"]


def settings(
    target: Path,
    *,
    mode: str = "process_supervisor",
    groups: Sequence[Mapping[str, Any]] = GROUPS,
    every_group: Mapping[str, Any] | None = None,
    modules: Sequence[str] = ("supervised_app",),
    source: Mapping[str, Any] | None = None,
    work: Mapping[str, Any] | None = None,
    sink: Mapping[str, Any] | None = None,
    platform: Mapping[str, Any] | None = None,
    ipc: Mapping[str, Any] | None = None,
    observability: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A configuration of the test application that writes to ``target``."""
    return {
        "version": 1,
        "scenario": "supervised",
        "runtime": {
            "discovery_modules": list(modules),
            "platform": {
                "bootstrap": {"mode": mode},
                "execution_ipc": {
                    "transport": "tcp_local",
                    "control": {"transport": "tcp_local"},
                    **(ipc or {}),
                },
                "process_groups": [{**group, **(every_group or {})} for group in groups],
                **(platform or {}),
            },
            "observability": dict(observability or {}),
        },
        "nodes": {"work": dict(work)} if work else {},
        "adapters": {
            "source": {"name": "numbers", "settings": dict(source or {})},
            "sink": {"name": "lines", "settings": {"path": str(target), **(sink or {})}},
        },
    }


class Events:
    """An exporter whose events can be waited for."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[LifecycleEvent] = queue.SimpleQueue()

    def export(self, items: Sequence[LifecycleEvent]) -> None:
        for item in items:
            self._queue.put(item)

    def close(self) -> None: ...

    def wait_for(self, name: str, worker: str) -> LifecycleEvent:
        """The next event of that name and worker."""
        while True:
            event = self._queue.get(timeout=PATIENCE)
            if (event.name, event.worker) == (name, worker):
                return event


class Supervised:
    """A supervisor of the test application in this process, with its events."""

    def __init__(self, config: Config, run_id: str = "r1", level: Any = "debug") -> None:
        self._groups = [group.name for group in config.runtime.platform.process_groups]
        self.happened = Events()
        self.log = LifecycleLog(run_id, [Outlet("events", self.happened)], level=level)
        self.lines: list[str] = []
        self.on_state: Callable[[str, str], None] = lambda group, state: None
        self.supervisor = MultiprocessBootstrapSupervisor(
            prepare(config),
            run_id,
            self.log,
            on_line=lambda _worker, _stream, text, *_: self.lines.extend(text.split("\n")),
            on_progress=lambda progress: self.on_state(progress.group, progress.state),
        )

    def start(self, *names: str) -> None:
        """Start these groups, or all of them."""
        self.supervisor.start_groups(names or self._groups)

    def ready(self) -> None:
        """Start all groups and wait until they are ready."""
        self.start()
        assert self.supervisor.wait_ready(PATIENCE)

    def events(self, name: str) -> list[LifecycleEvent]:
        """The events of that name."""
        return [e for e in self.log.events() if e.name == name]

    def names(self, worker: str | None = None) -> list[str]:
        """The names of the events, of one worker or of the supervisor, in order."""
        return [e.name for e in self.log.events() if e.worker == worker]

    def fails(self) -> RuntimeWorkerFailedError:
        """Run, which must fail, and shut down; nothing is left of it.

        If a stop may take ten minutes, this shows that the failure waits for no such time.
        """
        self.ready()
        with in_time():
            with pytest.raises(RuntimeWorkerFailedError) as caught:
                self.supervisor.run()
            self.supervisor.shutdown()
        assert gone(self.pids())
        return caught.value

    def pids(self) -> list[int]:
        """The processes of the workers."""
        return [w.pid for w in self.supervisor.snapshot().workers()]


@contextlib.contextmanager
def supervised(target: Path, **changes: Any) -> Iterator[Supervised]:
    """A supervisor that is shut down in any case."""
    made = Supervised(build_config(settings(target, **changes)))
    try:
        yield made
    finally:
        made.supervisor.shutdown()


@contextlib.contextmanager
def descriptors_left(count: int) -> Iterator[None]:
    """This process can have so many more descriptors inside the block, and no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/dev/fd")))
    taken = [os.dup(0)]
    while taken[-1] <= highest:  # what is free below it
        taken.append(os.dup(0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[-1] + 1 + count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for number in taken:
            os.close(number)


@contextlib.contextmanager
def threadless() -> Iterator[None]:
    """No thread can be started inside the block: none has room for such a stack."""
    before = threading.stack_size(2**50)
    try:
        yield
    finally:
        threading.stack_size(before)


class Interrupt(BaseException):
    """Raised in a block of the main thread that must not go on."""


@contextlib.contextmanager
def interrupted_by(number: signal.Signals) -> Iterator[Callable[[], None]]:
    """Raise :class:`Interrupt` in the block at this signal, until the given function is called."""
    armed = [number]

    def interrupt(*_: object) -> None:
        if armed:
            raise Interrupt

    before = signal.signal(number, interrupt)
    try:
        yield armed.clear
    finally:
        armed.clear()
        signal.signal(number, before)


@contextlib.contextmanager
def in_time(seconds: float = PATIENCE) -> Iterator[None]:
    """End a block of the main thread that waits for what it must not wait for, and fail."""
    try:
        with interrupted_by(signal.SIGALRM):
            signal.setitimer(signal.ITIMER_REAL, seconds)
            try:
                yield
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    except Interrupt:
        raise AssertionError(f"it was not over within {seconds} s") from None


@contextlib.contextmanager
def meanwhile(do: Callable[..., object], *arguments: Any) -> Iterator[None]:
    """Do something in a thread of its own beside the block, which the main thread runs.

    If it fails, the block is interrupted, since it may wait for what was not done, and the error
    is raised in its place. After the block it has :data:`PATIENCE` to end.
    """
    main, raised = threading.main_thread().ident or 0, list[BaseException]()

    def work() -> None:
        try:
            do(*arguments)
        except BaseException as error:  # noqa: BLE001 - it is raised where the block ends
            raised.append(error)
            signal.pthread_kill(main, signal.SIGUSR1)

    thread = threading.Thread(target=work, daemon=True)
    try:
        with interrupted_by(signal.SIGUSR1) as let_be:
            thread.start()
            try:
                yield
            finally:
                let_be()
                thread.join(PATIENCE)
    except Interrupt:
        raise raised[0] from None
    except BaseException as error:
        if raised:
            error.add_note(f"beside the block there was raised: {raised[0]!r}")
        raise
    if raised:
        raise raised[0]
    assert not thread.is_alive(), f"{do} has not ended within {PATIENCE} s after the block"


def until(is_so: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Look again and again until something is so that nobody tells; fail if that takes too long."""
    end, between = time.monotonic() + patience, threading.Event()
    while not is_so():
        assert time.monotonic() < end, f"within {patience} s it has not come: {what}"
        between.wait(0.01)


def let_pass(seconds: float) -> None:
    """Return after this time: another process counts it by its own clock, and tells nobody."""
    threading.Event().wait(seconds)


class Heard:
    """What the application said, and the link on which it may wait for a word."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        with link.makefile("rb") as lines:
            self.facts: dict[str, Any] = json.loads(lines.readline())

    @property
    def pid(self) -> int:
        """Who said it."""
        return int(self.facts["pid"])

    def let_go(self) -> None:
        """Let it go on."""
        self._link.close()


class Ears:
    """Where the application of a test says how far it has come."""

    def __init__(self) -> None:
        self._sock = socket.create_server(("127.0.0.1", 0))
        self._sock.settimeout(PATIENCE)
        self._heard: list[Heard] = []
        self.port: int = self._sock.getsockname()[1]

    def hear(self, what: str) -> Heard:
        """Wait for the application to say this next."""
        heard = self.hear_any()
        assert heard.facts["what"] == what
        return heard

    def hear_any(self) -> Heard:
        """Wait for the application to say anything."""
        link, _ = self._sock.accept()
        heard = Heard(link)
        self._heard.append(heard)
        return heard

    def close(self) -> None:
        """Let everybody go."""
        for heard in self._heard:
            heard.let_go()
        self._sock.close()


def sk_words(*arguments: str) -> list[str]:
    """The words of an ``sk`` command, as it is started as a process."""
    return [sys.executable, "-m", "sk_supervisor", *arguments]


class Command:
    """A running ``sk`` command."""

    def __init__(self, arguments: Sequence[str], **options: Any) -> None:
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(APPS),
            **options.pop("environment", {}),
        }
        self.process = subprocess.Popen(
            sk_words(*arguments),
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
            text=True,
            **options,
        )
        self._told = b""

    def finish(self) -> tuple[int, str, str]:
        """Exit code, output and standard error."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, self._told.decode() + err

    def signal(self, number: signal.Signals) -> None:
        """Signal the supervisor, and nobody else."""
        self.process.send_signal(number)

    def heard(self) -> bool:
        """Whether the run tells within the time, on its standard error, that it is to stop."""
        assert self.process.stderr is not None
        stream, end = self.process.stderr.fileno(), time.monotonic() + PATIENCE
        while not (self._told.endswith(b"\n") and b"\nstopping: " in b"\n" + self._told):
            told, _, _ = select.select([stream], [], [], max(0.0, end - time.monotonic()))
            if not told or not (part := os.read(stream, 65536)):
                return False
            self._told += part
        return True

    def insist(self, number: signal.Signals) -> None:
        """Signal the supervisor again, when that is no echo of a signal that it has heard."""
        let_pass(ECHO_SECONDS * 2)
        self.signal(number)

    def workers(self) -> list[psutil.Process]:
        """The worker processes."""
        return psutil.Process(self.process.pid).children()

    def end(self) -> None:
        """Leave nothing of it behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def written(folder: Path, configuration: Mapping[str, Any]) -> str:
    """The path of a configuration file."""
    path = folder / "config.json"
    path.write_text(json.dumps(configuration))
    return str(path)


def descriptors() -> set[tuple[int, int, int]]:
    """The open descriptors of this process, each with what it is open on: device and inode."""
    found = set()
    for number in map(int, os.listdir("/dev/fd")):
        with contextlib.suppress(OSError):  # the one by which the folder was read is closed again
            on = os.fstat(number)
            found.add((number, on.st_dev, on.st_ino))
    return found


def opened_since(before: set[tuple[int, int, int]]) -> set[tuple[int, int, int]]:
    """The descriptors that were not open before. What was, a test before may close yet."""
    return descriptors() - before


def threads() -> set[threading.Thread]:
    """The threads of this process."""
    return set(threading.enumerate())


def left_since(before: set[threading.Thread], within: float = PATIENCE) -> set[threading.Thread]:
    """The threads that have come since and do not end within the time."""
    for thread in threads() - before:
        thread.join(within)
    return threads() - before


def gone(pids: Sequence[int], within: float = PATIENCE) -> bool:
    """Whether these processes have ended, or do so within the time (zombies have ended).

    Not for children of this process that somebody else waits for: it would reap them.
    """
    processes = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            processes.append(psutil.Process(pid))
    processes = [p for p in processes if _runs(p)]
    _, alive = psutil.wait_procs(processes, timeout=within)
    return not [p for p in alive if _runs(p)]


def command_of(pid: int) -> list[str]:
    """What a process was started with; the kernel tells none for a moment behind its exec."""
    process = psutil.Process(pid)
    until(process.cmdline, f"the command of process {pid}")
    return process.cmdline()


def freeze(pid: int) -> None:
    """Suspend a process, and return when it is: the signal waits until one of its threads runs."""
    os.kill(pid, signal.SIGSTOP)
    process = psutil.Process(pid)
    until(lambda: process.status() == psutil.STATUS_STOPPED, f"process {pid} is stopped")


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
