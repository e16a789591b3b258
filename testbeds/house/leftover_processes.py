"""Pytest plugin: when a test process is done, no process that its tests started is left.

A process whose parent has ended is no descendant any more: that is how a worker of a killed
supervisor is left. Such a process is found by a mark in its environment, which it inherits. A
process that is forked without being executed, or is given an environment of its own, has no mark.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from uuid import uuid4

import psutil
import pytest

GRACE_SECONDS = 2.0
"""How long a child that is on its way out may still take."""

# One helper of the standard library lives on purpose as long as the process that spawned workers.
RESOURCE_TRACKER = "multiprocessing.resource_tracker"

MARKS = "SK_TEST_SESSIONS"
"""The environment variable with the mark of each test process that a process descends from."""


@pytest.fixture(scope="session", autouse=True)
def no_process_left() -> Iterator[None]:
    """Fail the run when tests leave processes behind; under xdist, each worker for its tests."""
    mark = uuid4().hex
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MARKS, mark, prepend=":")
        yield
    left = leftovers(psutil.Process(), mark)
    if left:
        pytest.fail("tests left processes behind:\n" + "\n".join(left), pytrace=False)


def leftovers(parent: psutil.Process, mark: str) -> list[str]:
    """Describe the descendants of ``parent``, and the processes with the mark, that do not end.

    They have a short grace.
    """
    found = {*parent.children(recursive=True), *marked(mark)}
    started = [process for process in found if RESOURCE_TRACKER not in command_of(process)]
    _, alive = psutil.wait_procs(started, timeout=GRACE_SECONDS)
    return [f"{process.pid}: {command_of(process)}" for process in alive]


def marked(mark: str) -> Iterator[psutil.Process]:
    """The processes of this user that were started with this mark, whatever their parent is."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):  # another user's, or one that has just ended
            if mark in process.environ().get(MARKS, "").split(":"):
                yield process


def command_of(process: psutil.Process) -> str:
    """The command line of ``process``, or its name, or that it has ended meanwhile."""
    try:
        return " ".join(process.cmdline()) or process.name()
    except psutil.NoSuchProcess:
        return "(has ended)"
