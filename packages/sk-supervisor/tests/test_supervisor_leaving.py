"""How a worker whose supervisor is gone leaves, and how the end of a process is heard."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest
from sk_supervisor._processes.process import WorkerProcess, release_all
from sk_supervisor._processes.spawn import StandbyProcess, WorkerStart
from sk_supervisor._system.exit import await_exit, exits_are_lost
from sk_supervisor._system.signals import signals_to
from supervisor_harness import PATIENCE, in_time

#: Two workers that lose their supervisor: nobody reads the standard error of the one any more, that
#: of the other is full. Each leads a process group, as workers do. Prints how they ended.
_LEAVERS = """
import os
from sk_control import LossReason
from sk_supervisor._worker.signals import leave_at_once

def left(standard_error):
    pid = os.fork()
    if not pid:
        os.setsid()
        os.dup2(standard_error, 2)
        leave_at_once(LossReason.STREAM_ENDED)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

unread, gone = os.pipe()
os.close(unread)
unread, full = os.pipe()
os.set_blocking(full, False)
try:
    while os.write(full, b"x" * 4096):
        pass
except BlockingIOError:
    os.set_blocking(full, True)
print(left(gone), left(full))
"""


def test_a_worker_leaves_whatever_has_become_of_its_standard_error() -> None:
    leavers = subprocess.run(
        [sys.executable, "-c", _LEAVERS], capture_output=True, text=True, timeout=60, check=False
    )
    assert leavers.stdout.split() == ["-9", "-9"], leavers.stderr


@pytest.fixture
def deaf() -> Iterator[None]:
    """This process ignores SIGCHLD, as one does whose parent did."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGCHLD, before)


def test_a_run_that_was_started_deaf_to_exits_hears_them(deaf: None) -> None:
    with signals_to(lambda *_: None, force=False):
        child = os.posix_spawn("/bin/sh", ["sh", "-c", "kill -9 $$"], {})
        assert await_exit(child)  # which leaves it to be reaped
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert exits_are_lost()


def test_no_worker_is_started_where_nobody_would_hear_how_it_ended(deaf: None) -> None:
    start = cast("WorkerStart", SimpleNamespace(worker_id="a-0.1", mark=""))
    with pytest.raises(OSError, match="SIGCHLD is ignored"):
        WorkerProcess(start, on_exit=lambda _: None, on_line=lambda *_: None)


class Reaped(StandbyProcess):
    """In place of one: a process whose end somebody else has waited for."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", "exit 3"], stderr=subprocess.PIPE, start_new_session=True
        )
        os.waitpid(self.process.pid, 0)

    def become(self, start: WorkerStart) -> subprocess.Popen[bytes]:
        return self.process


def test_of_a_worker_that_somebody_else_reaped_nobody_says_how_it_ended() -> None:
    """Nor is its number, which may be another's by now, signalled."""
    start = cast("WorkerStart", SimpleNamespace(worker_id="a-0.1", mark=""))
    left = threading.Event()
    standby = Reaped()
    assert not await_exit(standby.process.pid)
    worker = WorkerProcess(
        start, on_exit=lambda _: left.set(), on_line=lambda *_: None, standby=standby
    )
    assert left.wait(PATIENCE)
    assert (worker.alive, worker.ended()) == (False, "unknown: reaped by somebody else")
    assert worker.release(PATIENCE)


class Outlived(StandbyProcess):
    """In place of one: a process that ends at once, whose standard error is held open for ever."""

    def __init__(self) -> None:
        lines, self.held = os.pipe()
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", ""], stderr=self.held, start_new_session=True
        )
        self.process.stderr = os.fdopen(lines, "rb")

    def become(self, start: WorkerStart) -> subprocess.Popen[bytes]:
        return self.process


def test_what_has_escaped_from_many_workers_holds_up_the_end_no_longer_than_from_one() -> None:
    outlived = [Outlived() for _ in range(240)]
    left: queue.SimpleQueue[str] = queue.SimpleQueue()
    workers = [
        WorkerProcess(
            cast("WorkerStart", SimpleNamespace(worker_id=f"a-{number}.1", mark="")),
            on_exit=left.put,
            on_line=lambda *_: None,
            standby=standby,
        )
        for number, standby in enumerate(outlived)
    ]
    for _ in workers:
        left.get(timeout=PATIENCE)
    with in_time():  # half a second for each would be two minutes
        release_all(workers)
    assert all(worker.release(PATIENCE) for worker in workers)
    for standby in outlived:
        os.close(standby.held)
