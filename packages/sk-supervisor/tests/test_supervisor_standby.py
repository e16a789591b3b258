"""Processes of workers that begin before their supervisor: who takes them, and what is left."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from sk_config import build_config
from sk_supervisor import (
    Prepared,
    RuntimeLifecycleReadyError,
    RuntimeWorkerFailedError,
    prepare,
)
from sk_supervisor._processes.spawn import Standard, StandbyProcess
from sk_supervisor._session.standby import StandbyPool, TakesStandby, started_standby
from sk_supervisor._system.forked import _FORKING
from sk_supervisor.errors import SystemLimitError
from supervisor_harness import (
    MIDDLE,
    ONE_GROUP,
    PATIENCE,
    Ears,
    Supervised,
    command_of,
    descriptors,
    expected,
    opened_since,
    settings,
    supervised,
)


def prepared_in_one_group(target: Path, **changes: Any) -> Prepared:
    return prepare(build_config(settings(target, groups=ONE_GROUP, **changes)))


def children() -> list[int]:
    return [child.pid for child in psutil.Process().children()]


@contextmanager
def begun(target: Path, **changes: Any) -> Iterator[Supervised]:
    """A supervisor of one group, whose one process has begun."""
    with (
        started_standby(prepared_in_one_group(target, **changes)) as pool,
        supervised(target, groups=ONE_GROUP, **changes) as run,
    ):
        assert isinstance(run.supervisor, TakesStandby)
        run.supervisor.take_standby(pool)
        yield run


@pytest.mark.contract("P5PRE-SUP-01")
def test_a_process_that_began_early_becomes_the_worker_that_does_the_work(target: Path) -> None:
    with begun(target, source={"count": 20}) as run:
        (pid,) = children()
        run.ready()
        assert run.pids() == [pid] == children()
        run.supervisor.run()
        run.supervisor.shutdown()
        assert children() == []
    assert target.read_text().splitlines() == expected(20)


def test_the_time_for_its_start_counts_from_when_its_process_began(target: Path) -> None:
    with begun(target) as run:
        since = time.monotonic()
        run.start()
        at_least = time.monotonic() - since
        (worker,) = run.supervisor.snapshot().workers()
        assert (worker.age_seconds or 0.0) >= at_least


def test_a_start_that_took_too_long_tells_how_long_since_its_process_began(target: Path) -> None:
    prepared = prepared_in_one_group(target)
    with started_standby(prepared) as pool, supervised(target, groups=ONE_GROUP) as run:
        pool._waiting[MIDDLE].spawned_at -= 600
        assert isinstance(run.supervisor, TakesStandby)
        run.supervisor.take_standby(pool)
        run.start()
        with pytest.raises(
            RuntimeLifecycleReadyError, match=r"\(timeout\) after 6..\.. s"
        ) as caught:
            run.supervisor.wait_ready(PATIENCE)
        assert caught.value.waited_seconds >= 600


@pytest.mark.contract("BOOT-API-03")
def test_a_session_that_cannot_be_opened_leaves_none_that_waits(target: Path, ears: Ears) -> None:
    before = descriptors()
    with begun(target, ipc={"bind_port": ears.port}) as run:
        assert len(children()) == 1
        with pytest.raises(RuntimeLifecycleReadyError, match=f"{ears.port}.*in use") as caught:
            run.start()
        assert (caught.value.category, caught.value.exit_code) == ("spawn", 3)
        assert children() == []
    assert opened_since(before) == set()


@pytest.mark.contract("BOOT-API-03", "P5PRE-SUP-02")
def test_one_that_dies_while_it_waits_fails_the_start_as_a_worker_does(target: Path) -> None:
    with begun(target) as run:
        (pid,) = children()
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it is a worker's to wait for
        run.start()
        with pytest.raises(RuntimeLifecycleReadyError) as caught:
            run.supervisor.wait_ready(PATIENCE)
        assert (caught.value.category, caught.value.workers) == ("crash", (MIDDLE,))
        cause = caught.value.__cause__
        assert isinstance(cause, RuntimeWorkerFailedError)
        assert cause.ended == "signal SIGKILL"


def test_who_lists_processes_sees_which_worker_each_is_to_be(target: Path) -> None:
    with started_standby(prepared_in_one_group(target)):
        (pid,) = children()
        program, _, worker = command_of(pid)[-3:]
        assert program.endswith("/sk_supervisor/_worker/child.py")
        assert worker == MIDDLE


def test_an_interrupt_before_there_is_a_supervisor_leaves_none(target: Path) -> None:
    prepared = prepared_in_one_group(target)
    seen: list[int] = []

    def interrupted() -> None:
        with started_standby(prepared):
            seen.extend(children())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (len(seen), children()) == (1, [])


@pytest.mark.parametrize(
    "platform",
    [{"admin": {"enabled": True}}, {"health": {"http": {"bind_host": "127.0.0.1"}}}],
    ids=["admin", "health"],
)
def test_none_begins_before_an_address_that_the_run_insists_on(
    target: Path, platform: dict[str, Any]
) -> None:
    with started_standby(prepared_in_one_group(target, platform=platform)):
        assert children() == []


def test_none_begins_where_nobody_would_hear_of_its_end(target: Path) -> None:
    prepared = prepared_in_one_group(target)
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with started_standby(prepared) as pool:
            assert pool.take(MIDDLE) is None
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_none_begins_where_this_process_does_the_work(target: Path) -> None:
    with started_standby(prepared_in_one_group(target, mode="inline")):
        assert children() == []


def test_where_the_system_has_none_to_give_none_begins(target: Path) -> None:
    prepared, before = prepared_in_one_group(target), descriptors()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        pool = StandbyPool()
        pool.begin(prepared)
        assert pool.take(MIDDLE) is None
        with pytest.raises(SystemLimitError), started_standby(prepared):
            pytest.fail("it has begun")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert (children(), opened_since(before)) == ([], set())


#: Starts the process of a worker; then it is killed, by itself or by whoever started it.
_SUPERVISOR = """
import os, signal, sys
from sk_supervisor._processes.spawn import StandbyProcess, Standard
sys.path.insert(0, sys.argv[1])
interpreter = StandbyProcess("a-0.1", Standard(stdin=False, stdout=True))
if sys.argv[2] == "at once":
    os.kill(os.getpid(), signal.SIGKILL)
signal.pause()
"""
#: What any worker imports, but never to the end: it says that it is there. (The alarm is for what
#: a test that fails would leave behind.)
_ENDLESS = "import signal; signal.alarm(60); print('importing', flush=True); signal.pause()"
#: Only Linux ends a process with its parent: elsewhere it has to come to where it looks.
_KILLED = ["at once", "while it imports"][: 2 if sys.platform == "linux" else 1]


@pytest.mark.contract("P5PRE-LIFE-05")
@pytest.mark.parametrize("when", _KILLED)
def test_none_outlives_a_supervisor_that_is_killed_before_it_says_a_word(
    tmp_path: Path, when: str
) -> None:
    """However long its imports take: what it sees to before them is that it ends with it."""
    (tmp_path / "sk_control.py").write_text(_ENDLESS)
    command = [sys.executable, "-c", _SUPERVISOR, str(tmp_path), when]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        if when == "while it imports":
            assert parent.stdout.readline() == "importing\n"
            parent.kill()
        parent.communicate(timeout=PATIENCE)  # to the end of what both may write to
        assert parent.returncode == -signal.SIGKILL


@contextmanager
def forked() -> Iterator[int]:
    """A child of this process, as ``multiprocessing`` forks it: with whatever is open now."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # this process has threads: yes
        pid = os.fork()
    if pid == 0:
        try:
            signal.pause()
        finally:
            os._exit(0)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_a_child_that_the_program_forks_meanwhile_holds_up_no_worker(target: Path) -> None:
    """It holds the pipe open by which a worker is told which one it is."""
    with begun(target, source={"count": 20}) as run, forked():
        run.ready()
        run.supervisor.run()
    assert target.read_text().splitlines() == expected(20)


def has_its_turn(lock: Any) -> bool:
    """Whether another thread than this one could have the lock now."""
    had: list[bool] = []

    def ask() -> None:
        had.append(lock.acquire(blocking=False))
        if had[0]:
            lock.release()

    other = threading.Thread(target=ask)
    other.start()
    other.join()
    return had[0]


def test_no_child_is_forked_while_a_worker_is_being_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would hold the pipe open by which ``subprocess`` learns that it was."""
    begun_to, done = threading.Event(), threading.Event()
    early: list[bool] = []

    def fork() -> None:
        begun_to.set()
        with forked():
            done.set()

    class Crossed(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            other.start()
            assert begun_to.wait(PATIENCE)
            early.append(has_its_turn(_FORKING))
            super().__init__(*args, **kwargs)
            early.append(done.is_set())

    other = threading.Thread(target=fork)
    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", Crossed)
        interpreter = StandbyProcess(MIDDLE, Standard(stdin=False, stdout=False))
    interpreter.abandon()
    other.join(PATIENCE)
    assert (early, done.is_set()) == ([False, False], True)
    assert has_its_turn(_FORKING)


def test_one_that_is_let_go_of_without_a_word_says_so_and_leaves() -> None:
    program = "import sys; from sk_supervisor._worker.main import main; main(sys.stdin.buffer, 0)"
    done = subprocess.run(
        [sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == b"let go of before it was told which worker it is: leaving\n"
