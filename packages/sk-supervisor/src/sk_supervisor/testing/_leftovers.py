"""Check that no process, thread or file descriptor (sockets included) is left behind."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Container, Hashable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import psutil

_LOOK_SECONDS: Final = 0.02


@contextmanager
def nothing_left_behind(within_seconds: float = 5.0) -> Iterator[None]:
    """Assert that the block leaves behind no child process, thread or file descriptor.

    File descriptors include sockets, pipes and files; one that is open on something else than
    before the block is left behind, too. Leftovers may take up to ``within_seconds`` to disappear.
    Resources that a library keeps for good after its first use, as gRPC does, are reported the
    first time: do once before the block what is then done inside it.

    :raises AssertionError: naming what is left; not if the block itself raised.
    """
    before = _present()
    yield
    left = leftovers(before, within_seconds)
    if left:
        raise AssertionError("left behind:\n" + "\n".join(f"  {what}" for what in left))


def marked(variable: str, value: str, within_seconds: float = 5.0) -> list[str]:
    """This user's processes with ``variable=value`` in their environment that do not end in time.

    Processes that have left their process group or their parent are found too.
    """
    end = time.monotonic() + within_seconds
    while (left := list(_marked(variable, value))) and time.monotonic() < end:
        threading.Event().wait(_LOOK_SECONDS)
    return left


def leftovers(before: Container[Hashable], within_seconds: float) -> list[str]:
    """Names of the resources that are not in ``before`` and do not disappear in time, sorted."""
    end = time.monotonic() + within_seconds
    while (left := _new(before)) and time.monotonic() < end:
        threading.Event().wait(_LOOK_SECONDS)
    return sorted(left)


def _new(before: Container[Hashable]) -> list[str]:
    return [name for resource, name in _present().items() if resource not in before]


def _present() -> dict[Hashable, str]:
    """The resources and their names. Numbers are used again: a resource is not known by that."""
    found: dict[Hashable, str] = {t: f"thread {t.name} ({t.ident})" for t in threading.enumerate()}
    with suppress(psutil.Error):
        found |= {p: f"process {p.pid}" for p in psutil.Process().children(recursive=True)}
    return found | dict(_descriptors())


def _descriptors() -> Iterator[tuple[Hashable, str]]:
    for number in map(int, os.listdir("/dev/fd")):
        # The descriptor that the folder was listed through is closed by now.
        with suppress(OSError):
            on = os.fstat(number)
            yield (number, on.st_dev, on.st_ino), f"descriptor {number}"


def _marked(variable: str, value: str) -> Iterator[str]:
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.environ().get(variable) == value:
                yield f"process {process.pid}: {' '.join(process.cmdline())}"
