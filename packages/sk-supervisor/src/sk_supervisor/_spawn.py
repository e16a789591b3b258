"""Starting a worker process: a new interpreter that is told the least it needs, through a pipe.

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
from collections.abc import Mapping
from dataclasses import dataclass
from signal import SIGKILL

from sk_supervisor._signals import without_signals

# The child must find this package before anything else, wherever the parent found it.
# Nothing that is made while it is built is garbage: collecting begins behind that, in the worker.
_CHILD = (
    "import gc,json,os,sys,time;"
    "began=time.time_ns();"
    "gc.disable();"
    "told=json.load(os.fdopen(int(sys.argv[1]),'rb'));"
    "told['marks']={'interpreter':began};"
    "sys.path[:]=told.pop('path');"
    "from sk_supervisor.worker import main;"
    "main(told)"
)


@dataclass(frozen=True, slots=True)
class WorkerStart:
    """What a worker process is started with. ``token`` is secret: it is in no repr.

    ``profile`` is the folder that its profile is written to, empty where none is wanted.
    """

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
    profile: str = ""

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
                "profile": self.profile,
                "output_is_captured": not self.has_stdout,
            }
        ).encode()


def spawn(start: WorkerStart) -> subprocess.Popen[bytes]:
    """Start the process; its ``stderr`` is a pipe, and its ``stdout`` where that is captured.

    :raises OSError: when it cannot be created.
    """
    told = start.told()
    read_end, write_end = os.pipe()
    try:
        with without_signals():
            process = subprocess.Popen(
                [
                    sys.executable,
                    *interpreter_options(),
                    "-P",
                    "-c",
                    _CHILD,
                    str(read_end),
                    start.worker_id,
                ],
                stdin=None if start.has_stdin else subprocess.DEVNULL,
                stdout=None if start.has_stdout else subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(read_end,),
                start_new_session=True,
            )
    except BaseException:
        os.close(write_end)
        raise
    finally:
        os.close(read_end)
    try:
        # It may be dead already: then its exit says why, and not this.
        with contextlib.suppress(BrokenPipeError), os.fdopen(write_end, "wb") as pipe:
            pipe.write(told)
    except BaseException:
        abandon(process)
        raise
    return process


def abandon(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that nobody will watch, with its group, and leave nothing of it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, SIGKILL)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def interpreter_options() -> list[str]:
    """The options of this interpreter that change what a node does: workers have the same."""
    options = ["-O"] * sys.flags.optimize
    options += ["-B"] if sys.dont_write_bytecode else []
    options += [f"-W{option}" for option in sys.warnoptions]
    for name, value in sys._xoptions.items():
        options += ["-X", name if value is True else f"{name}={value}"]
    return options
