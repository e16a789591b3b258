"""That nothing is left behind: processes, threads, file descriptors (and with them sockets)."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import psutil

_LOOK_SECONDS: Final = 0.02


@contextmanager
def nothing_left_behind(within_seconds: float = 5.0) -> Iterator[None]:
    """The block leaves this process as it found it, or does so soon after.

    No child process more, no thread and no file descriptor, which is what sockets, pipes and files
    are. What a library keeps for good from its first use on (gRPC does) is found the first time: do
    once before what is then done inside the block.

    :raises AssertionError: naming what is left. Not when the block itself raised.
    """
    before = _present()
    yield
    left = leftovers(before, within_seconds)
    if left:
        raise AssertionError("left behind:\n" + "\n".join(f"  {what}" for what in left))


def marked(variable: str, value: str, within_seconds: float = 5.0) -> list[str]:
    """The processes of this user with this in their environment, if they do not end in time.

    A process cannot get out of it by leaving its group or its parent.
    """
    end = time.monotonic() + within_seconds
    while (left := list(_marked(variable, value))) and time.monotonic() < end:
        threading.Event().wait(_LOOK_SECONDS)
    return left


def leftovers(before: set[str], within_seconds: float) -> list[str]:
    """What is there beyond ``before`` and does not go in time."""
    end = time.monotonic() + within_seconds
    while (left := _present() - before) and time.monotonic() < end:
        threading.Event().wait(_LOOK_SECONDS)
    return sorted(left)


def _present() -> set[str]:
    found = {f"thread {t.name} ({t.ident})" for t in threading.enumerate()}
    with suppress(psutil.Error):
        found |= {f"process {p.pid}" for p in psutil.Process().children(recursive=True)}
    return found | set(_descriptors())


def _descriptors() -> Iterator[str]:
    for number in os.listdir("/dev/fd"):
        # The one that the listing itself was read through is gone by now.
        with suppress(OSError):
            os.fstat(int(number))
            yield f"descriptor {number}"


def _marked(variable: str, value: str) -> Iterator[str]:
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.environ().get(variable) == value:
                yield f"process {process.pid}: {' '.join(process.cmdline())}"
