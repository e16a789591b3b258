"""One worker process, seen from the supervisor: spawned, watched, signalled.

A worker is a new interpreter (fork and exec, so that no gRPC object is inherited) in a process
group of its own. It is told where to dial and its one-time token through a pipe, beside the module
search path; nothing else, and no object. Its standard input and output are its own only where the
source or the sink lives; otherwise output joins its captured standard error.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: Lines of a worker's standard error that are kept for its failure event.
TAIL_LINES = 20
_LINE_BYTES = 2000

# The child must find this package before anything else, wherever the parent found it.
_CHILD = (
    "import json,os,sys;"
    "told=json.load(os.fdopen(int(sys.argv[1]),'rb'));"
    "sys.path[:]=told.pop('path');"
    "from sk_supervisor.worker import main;"
    "main(told)"
)


@dataclass(frozen=True, slots=True)
class WorkerStart:
    """What a worker process is started with. ``token`` is secret: it is in no repr."""

    worker_id: str
    group: str
    index: int
    incarnation: int
    address: str
    token_hex: str
    session_id: str
    deadline_seconds: float
    control: Mapping[str, float]
    has_stdin: bool
    has_stdout: bool

    def __repr__(self) -> str:
        return f"WorkerStart({self.worker_id})"

    def told(self) -> bytes:
        """The bytes that go through the spawn pipe."""
        return json.dumps(
            {
                "path": [entry for entry in sys.path if isinstance(entry, str)],
                "parent": os.getpid(),
                "worker_id": self.worker_id,
                "group": self.group,
                "index": self.index,
                "incarnation": self.incarnation,
                "address": self.address,
                "token": self.token_hex,
                "session_id": self.session_id,
                "deadline_seconds": self.deadline_seconds,
                "control": dict(self.control),
            }
        ).encode()


class WorkerProcess:
    """A spawned worker. ``on_exit(worker_id)``, ``on_line(worker_id, line)``: from its threads.

    :raises OSError: when the process cannot be created.
    """

    def __init__(
        self,
        start: WorkerStart,
        on_exit: Callable[[str], None],
        on_line: Callable[[str, str], None],
    ) -> None:
        self.worker_id = start.worker_id
        self._on_exit, self._on_line = on_exit, on_line
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        read_end, write_end = os.pipe()
        try:
            self._popen = subprocess.Popen(
                [sys.executable, "-c", _CHILD, str(read_end), start.worker_id],
                stdin=None if start.has_stdin else subprocess.DEVNULL,
                stdout=None if start.has_stdout else subprocess.PIPE,
                stderr=subprocess.STDOUT if not start.has_stdout else subprocess.PIPE,
                pass_fds=(read_end,),
                start_new_session=True,
            )
        except BaseException:
            os.close(write_end)
            raise
        finally:
            os.close(read_end)
        self.pid = self._popen.pid
        with contextlib.suppress(BrokenPipeError), os.fdopen(write_end, "wb") as pipe:
            pipe.write(start.told())
        self._threads = [
            threading.Thread(target=self._wait, name=f"{self.worker_id} exit", daemon=True),
            threading.Thread(target=self._listen, name=f"{self.worker_id} stderr", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether the process has not exited."""
        return self._popen.returncode is None

    def ended(self) -> str:
        """How the process ended: ``exit code 1``, ``signal SIGKILL``; empty while it lives."""
        code = self._popen.returncode
        if code is None:
            return ""
        if code >= 0:
            return f"exit code {code}"
        try:
            return f"signal {signal.Signals(-code).name}"
        except ValueError:
            return f"signal {-code}"

    @property
    def clean(self) -> bool:
        """Whether the process exited with 0."""
        return self._popen.returncode == 0

    def await_exit(self, timeout: float) -> bool:
        """Wait for the process to be gone; whether it is."""
        self._threads[0].join(max(timeout, 0.0))
        return not self.alive

    def tail(self) -> tuple[str, ...]:
        """The last lines of its standard error; waits shortly for those still in the pipe."""
        if not self.alive:
            self._threads[1].join(timeout=0.5)
        return tuple(self._tail)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the worker's whole process group; nothing when it is gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def release(self, timeout: float) -> bool:
        """Join the threads, once the process is gone and its group was signalled."""
        for thread in self._threads:
            thread.join(timeout)
        return not any(thread.is_alive() for thread in self._threads)

    def _wait(self) -> None:
        self._popen.wait()
        self._on_exit(self.worker_id)

    def _listen(self) -> None:
        pipe = self._popen.stdout or self._popen.stderr
        assert pipe is not None  # noqa: S101 - one of the two is always a pipe
        with pipe:
            while line := pipe.readline(_LINE_BYTES):
                text = line.decode(errors="replace").rstrip("\n")
                self._tail.append(text)
                self._on_line(self.worker_id, text)
