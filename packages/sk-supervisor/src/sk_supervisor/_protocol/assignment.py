"""A worker process that has been started early is told which worker it is to be."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any, BinaryIO


def await_assignment(pipe: BinaryIO, marks: dict[str, int]) -> dict[str, Any]:
    """Wait for the supervisor to say so, by one line of JSON; gives it, with the ``marks`` added.

    Where the pipe closes before a whole line, nobody needs this process: it exits with 1. The end
    of the pipe itself is not waited for: whatever the supervisor's program has forked meanwhile
    may hold it open.

    :param marks: the steps of this process's start so far, in nanoseconds since the epoch.
    """
    with pipe:
        word = pipe.readline()
    if not word.endswith(b"\n"):
        with contextlib.suppress(OSError):  # where nobody reads it either
            os.write(2, b"let go of before it was told which worker it is: leaving\n")
        os._exit(1)
    assignment: dict[str, Any] = json.loads(word)
    assignment["marks"] = {"spawned": assignment.pop("spawned"), **marks, "called": time.time_ns()}
    return assignment
