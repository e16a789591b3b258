"""Pytest plugin: when a test process is done, no child process of its own is left."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

GRACE_SECONDS = 2.0
"""How long a child that is on its way out may still take."""

# One helper of the standard library lives on purpose as long as the process that spawned workers.
RESOURCE_TRACKER = "multiprocessing.resource_tracker"


@pytest.fixture(scope="session", autouse=True)
def no_process_left() -> Iterator[None]:
    """Fail the run when tests leave children behind; under xdist, each worker for its tests."""
    yield
    left = leftovers(psutil.Process())
    if left:
        pytest.fail("tests left processes behind:\n" + "\n".join(left), pytrace=False)


def leftovers(parent: psutil.Process) -> list[str]:
    """Describe the descendants of ``parent`` that are still there after a short grace."""
    children = [
        child
        for child in parent.children(recursive=True)
        if RESOURCE_TRACKER not in command_of(child)
    ]
    _, alive = psutil.wait_procs(children, timeout=GRACE_SECONDS)
    return [f"{process.pid}: {command_of(process)}" for process in alive]


def command_of(process: psutil.Process) -> str:
    """The command line of ``process``, or its name, or that it has ended meanwhile."""
    try:
        return " ".join(process.cmdline()) or process.name()
    except psutil.NoSuchProcess:
        return "(has ended)"
