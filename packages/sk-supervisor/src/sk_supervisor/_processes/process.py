"""One worker process, as the supervisor handles it: watched, signalled, and ended with its group.

A worker leads a process group. When it ends, the processes left in the group are killed, before the
worker is reaped: until then no other process group can get its number.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from signal import SIGKILL, Signals

from sk_supervisor._processes.output import OnLine
from sk_supervisor._processes.spawn import StandbyProcess, WorkerStart, abandon
from sk_supervisor._processes.streams import STDERR, STDOUT, LineReader
from sk_supervisor._system.exit import await_exit, exits_are_lost, reap
from sk_supervisor._system.threads import begin

#: How long to wait for the last lines after the process has ended.
_TAIL_SECONDS = 0.5
#: How long to wait for threads that were told to end.
_THREADS_SECONDS = 0.5


class WorkerProcess:
    """A spawned worker process.

    Its own threads call ``on_exit(worker_id)`` and ``on_line(worker_id, stream, text)``. When
    ``on_exit`` is called, the exit status and the last lines are known.

    :param clean: masks secrets in a line.
    :param standby: the process that waits to become this worker, if there is one.
    :raises OSError: when the process, or a thread that watches it, cannot be created, or its exit
        status would be lost; there is no process then.
    """

    def __init__(
        self,
        start: WorkerStart,
        *,
        on_exit: Callable[[str], None],
        on_line: OnLine,
        clean: Callable[[str], str] = str,
        standby: StandbyProcess | None = None,
    ) -> None:
        self.worker_id = worker_id = start.worker_id
        self._on_exit = on_exit
        self._is_known = True
        """Whether its exit status could be read."""
        self._lock = threading.Lock()
        if exits_are_lost():
            raise OSError(
                errno.ECHILD, "SIGCHLD is ignored, and with it how a worker ends: set it to SIG_DFL"
            )
        standby = standby or StandbyProcess(worker_id, start.standard)
        self._popen = standby.become(start)
        self.pid = self._popen.pid
        try:
            self._attend(partial(on_line, worker_id), clean, start.mark)
        except BaseException:
            abandon(self._popen)
            raise

    def _attend(
        self, on_line: Callable[..., object], clean: Callable[[str], str], mark: str
    ) -> None:
        # Standard error comes first: a flood of standard output must not displace it.
        streams = {STDERR: self._popen.stderr, STDOUT: self._popen.stdout}
        pipes = {stream: pipe for stream, pipe in streams.items() if pipe is not None}
        name = self.worker_id
        self._waiter = threading.Thread(target=self._wait, name=f"{name} exit", daemon=True)
        self._reader = LineReader(pipes, on_line, name=f"{name} lines", clean=clean, mark=mark)
        try:
            begin(self._waiter)
        except BaseException:
            self._reader.wake()
            self._reader.await_end(_THREADS_SECONDS)
            raise

    @property
    def alive(self) -> bool:
        """Whether the process has not exited."""
        return self._popen.returncode is None

    def ended(self) -> str:
        """How the process ended: ``exit code 1``, ``signal SIGKILL``; empty if it has not.

        ``unknown: reaped by somebody else`` if other code of this process reaps all children.
        """
        with self._lock:
            code, is_known = self._popen.returncode, self._is_known
        if code is None:
            return ""
        if not is_known:
            return "unknown: reaped by somebody else"
        if code >= 0:
            return f"exit code {code}"
        try:
            return f"signal {Signals(-code).name}"
        except ValueError:
            return f"signal {-code}"

    def tail(self) -> tuple[str, ...]:
        """Return the last lines of its standard error so far."""
        return self._reader.tail()

    def signal(self, number: Signals) -> None:
        """Send a signal to the worker's whole process group, unless the worker has ended."""
        with self._lock:
            if self.alive:
                self._signal_group(number)

    def release(self, timeout: float) -> bool:
        """Join the threads of a process that has ended; return whether all of them have ended."""
        self._waiter.join(timeout)
        return self._reader.stop(timeout) and not self._waiter.is_alive()

    def await_lines(self, until: float) -> None:
        """Wait for the end of its streams, no longer than ``until`` (monotonic)."""
        self._reader.await_end(max(until - time.monotonic(), 0.0))

    def hear_no_more(self) -> None:
        """Read what is written to its streams so far, and no more."""
        self._reader.wake()

    def join(self, until: float) -> None:
        """Wait for the threads that watched it, no longer than ``until`` (monotonic)."""
        self.await_lines(until)
        self._waiter.join(max(until - time.monotonic(), 0.0))

    def _wait(self) -> None:
        is_ours = await_exit(self.pid)
        with self._lock:
            if is_ours:
                self._signal_group(SIGKILL)
            self._is_known = reap(self._popen)
        # A process that has left the group may hold its end of the pipe for ever.
        self._reader.await_end(_TAIL_SECONDS)
        self._on_exit(self.worker_id)

    def _signal_group(self, number: Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def release_all(processes: Iterable[WorkerProcess]) -> None:
    """Release processes that have ended; for all of them together this takes a second at most.

    It waits for the last lines of each, but not without limit: a process that has left the worker's
    group may hold its streams open for ever.
    """
    processes = list(processes)
    until = time.monotonic() + _TAIL_SECONDS
    for process in processes:
        process.await_lines(until)
    for process in processes:
        process.hear_no_more()
    until = time.monotonic() + _THREADS_SECONDS
    for process in processes:
        process.join(until)
