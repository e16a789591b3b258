"""The assignment of a worker to a process that was started before, over the spawn pipe."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any, BinaryIO


def await_assignment(pipe: BinaryIO, marks: dict[str, int]) -> dict[str, Any]:
    """Wait for the supervisor's assignment, a line of JSON; return it with the ``marks`` added.

    If the pipe closes before a whole line, the process is not needed and exits with code 1. The
    end of the pipe is not waited for, as children that the supervisor's process has forked
    meanwhile may hold it open.

    :param marks: the times of the steps of this process's start, in nanoseconds since the epoch.
    """
    with pipe:
        word = pipe.readline()
    if not word.endswith(b"\n"):
        with contextlib.suppress(OSError):  # standard error may be closed too
            os.write(2, b"let go of before it was told which worker it is: leaving\n")
        os._exit(1)
    assignment: dict[str, Any] = json.loads(word)
    assignment["marks"] = {"spawned": assignment.pop("spawned"), **marks, "called": time.time_ns()}
    return assignment
