"""Starting a worker process: a new interpreter that gets the least it needs, through a pipe.

It gets two messages. After the first it imports what any worker needs. The second says which worker
it is, and may come later: as soon as there is an address to connect to.

It is forked and executed, so that it inherits no gRPC object; it has its own session and process
group. It inherits standard input only if it runs the source, and standard output only if it runs
the sink; other output is captured, and so is standard error.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from signal import SIGKILL
from typing import NamedTuple

from sk_kernel.runtime import SINK, SOURCE, ExecutionPlan

from sk_supervisor._protocol.marked_text import new_mark
from sk_supervisor._system.forked import without_forks
from sk_supervisor._system.signals import without_signals

#: Its path, since the worker does not know the path of modules yet; ``-P`` keeps the files beside
#: it, or in the working directory, from being imported.
_CHILD = Path(__file__).parents[1] / "_worker" / "child.py"


class Standard(NamedTuple):
    """The standard streams of this process that a worker inherits."""

    stdin: bool
    stdout: bool


def standard_streams(plan: ExecutionPlan, group: str) -> Standard:
    """Return the streams of a group: standard input if it has the source, output if the sink."""
    return Standard(plan.group_of[SOURCE] == group, plan.group_of[SINK] == group)


@dataclass(frozen=True, slots=True)
class WorkerStart:
    """The data to start a worker process. ``token`` (hexadecimal) is secret: it is not in the repr.

    ``profile`` is the folder for its profile, empty for none. ``mark`` marks, on its standard
    error, texts of several lines that belong together.
    """

    worker_id: str
    group: str
    index: int
    incarnation: int
    address: str
    token: str
    session_id: str
    deadline_seconds: float
    control: dict[str, float]
    standard: Standard
    profile: str = ""
    mark: str = field(default_factory=new_mark)

    def __repr__(self) -> str:
        return f"WorkerStart({self.worker_id})"

    def assignment(self, spawned_ns: int) -> dict[str, object]:
        """Return the assignment for the spawn pipe, with the creation time of the process."""
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        del told["standard"]
        return {**told, "output_is_captured": not self.standard.stdout, "spawned": spawned_ns}


class StandbyProcess:
    """A process that imports what any worker needs, and then waits until it is assigned a worker.

    Its ``stderr`` is a pipe, and so is its ``stdout`` if that is captured. It ends when its
    supervisor ends, or closes the pipe without an assignment.

    :raises OSError: when it cannot be created.
    """

    def __init__(self, worker_id: str, standard: Standard) -> None:
        self.spawned_at, self._spawned_ns = time.monotonic(), time.time_ns()
        read_end, write_end = os.pipe()
        try:
            with without_signals(), without_forks():
                self._process = subprocess.Popen(
                    [
                        sys.executable,
                        *interpreter_options(),
                        "-P",
                        str(_CHILD),
                        str(read_end),
                        worker_id,
                    ],
                    stdin=None if standard.stdin else subprocess.DEVNULL,
                    stdout=None if standard.stdout else subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    pass_fds=(read_end,),
                    start_new_session=True,
                )
        except BaseException:
            os.close(write_end)
            raise
        finally:
            os.close(read_end)
        self._pipe = os.fdopen(write_end, "wb")
        path = [entry for entry in sys.path if isinstance(entry, str)]
        self._say({"path": path, "parent": os.getpid()})

    def become(self, start: WorkerStart) -> subprocess.Popen[bytes]:
        """Assign a worker to it, once; return the process, which the caller owns from then on."""
        self._say(start.assignment(self._spawned_ns))
        self._hang_up()
        return self._process

    def kill(self) -> None:
        """Kill it without waiting, so that several can end concurrently; :meth:`abandon` waits."""
        kill_group(self._process.pid)

    def abandon(self) -> None:
        """End a process that gets no assignment, and release all its resources."""
        self._hang_up()
        abandon(self._process)

    def _say(self, word: Mapping[str, object]) -> None:
        try:
            # If it has ended already, its exit status says why; this error does not.
            with contextlib.suppress(BrokenPipeError):
                self._pipe.write(json.dumps(word).encode() + b"\n")
                self._pipe.flush()
        except BaseException:
            self.abandon()
            raise

    def _hang_up(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # with what it has not read
            self._pipe.close()


def abandon(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that is not watched, with its group, and release all its resources."""
    kill_group(process.pid)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def kill_group(pid: int) -> None:
    """Kill a process, which must not have been reaped, with its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, SIGKILL)


def interpreter_options() -> list[str]:
    """Return the options of this interpreter that affect nodes: workers get the same.

    If this interpreter ignores the environment, or a user's own packages, so do its workers.
    """
    flags = sys.flags
    options = ["-O"] * flags.optimize + ["-b"] * flags.bytes_warning
    options += ["-B"] if sys.dont_write_bytecode else []
    options += ["-S"] if flags.no_site else []
    if flags.isolated:
        options += ["-I"]
    else:
        options += ["-E"] if flags.ignore_environment else []
        options += ["-s"] if flags.no_user_site else []
    options += [f"-W{option}" for option in sys.warnoptions]
    for name, value in sys._xoptions.items():
        options += ["-X", name if value is True else f"{name}={value}"]
    return options
