"""Starting a worker process: a new interpreter that is told the least it needs, through a pipe.

It is told in two words. With the first it imports what any worker needs; the second says which one
it is, and may come later: as soon as there is an address that it can be given.

Fork and exec, so that no gRPC object is inherited; a session and process group of its own; standard
input and output only where the source or the sink lives, otherwise output is captured, as standard
error is.
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

from sk_supervisor._protocol.told import new_mark
from sk_supervisor._system.forked import without_forks
from sk_supervisor._system.signals import without_signals

#: Its path, since a worker has yet to be told where modules are; ``-P`` keeps what is beside it, or
#: in the folder where it starts, from being one.
_CHILD = Path(__file__).with_name("child.py")


class Standard(NamedTuple):
    """Which of this process's own standard streams a worker has for itself."""

    stdin: bool
    stdout: bool


def standard_streams(plan: ExecutionPlan, group: str) -> Standard:
    """The input where the source lives, the output where the sink does."""
    return Standard(plan.group_of[SOURCE] == group, plan.group_of[SINK] == group)


@dataclass(frozen=True, slots=True)
class WorkerStart:
    """What a worker process is started with. ``token`` (hexadecimal) is secret: it is in no repr.

    ``profile`` is the folder that its profile is written to, empty where none is wanted. By its
    ``mark`` is known what it tells in one piece on its standard error.
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
        """The assignment that the spawn pipe carries, with the time its process was created."""
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        del told["standard"]
        return {**told, "output_is_captured": not self.standard.stdout, "spawned": spawned_ns}


class Interpreter:
    """A process that imports what any worker needs, and then waits to be told which one it is.

    Its ``stderr`` is a pipe, and its ``stdout`` where that is captured. It ends with its
    supervisor, and where that lets go of it without a word.

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
        """Tell it which worker it is, for good: the process, which is the caller's from now on."""
        self._say(start.assignment(self._spawned_ns))
        self._hang_up()
        return self._process

    def kill(self) -> None:
        """Have it end, of which :meth:`abandon` waits for the end: so that several end at once."""
        kill_group(self._process.pid)

    def abandon(self) -> None:
        """Leave nothing of a process that nobody will tell anything."""
        self._hang_up()
        abandon(self._process)

    def _say(self, word: Mapping[str, object]) -> None:
        try:
            # It may be dead already: then its exit says why, and not this.
            with contextlib.suppress(BrokenPipeError):
                self._pipe.write(json.dumps(word).encode() + b"\n")
                self._pipe.flush()
        except BaseException:
            self.abandon()
            raise

    def _hang_up(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # with what it has not heard
            self._pipe.close()


def abandon(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that nobody will watch, with its group, and leave nothing of it."""
    kill_group(process.pid)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def kill_group(pid: int) -> None:
    """Kill a process, which has not been waited for yet, with its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, SIGKILL)


def interpreter_options() -> list[str]:
    """The options of this interpreter that change what a node does: workers have the same.

    What keeps an environment, or a user's own packages, out of it keeps them out of its workers.
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
