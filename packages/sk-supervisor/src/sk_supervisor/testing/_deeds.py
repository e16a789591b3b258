"""The code of the beasts, called in their worker at import or on a record; see ``Beast.does``."""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

Announce = Callable[[], None]

_FLOOD_BYTES: Final = 20_000_000
_LINE: Final = b"a line of a flood that nobody will ever read to its end, and that goes on and on\n"
_GULP: Final = 8 * 1024 * 1024
#: The leak stops at this size if the worker is not ended before: it must not exhaust the machine.
_ENOUGH: Final = 1024 * 1024 * 1024


def _wait_for_ever() -> None:
    while True:
        threading.Event().wait(3600)


def never_ready(announce: Announce) -> None:
    """At import."""
    announce()
    _wait_for_ever()


def crash_on_import(announce: Announce) -> None:
    """At import."""
    announce()
    raise RuntimeError("a beast of the zoo crashes on import")


def ready_and_silent(announce: Announce) -> None:
    """On a record; heartbeats were disabled at import."""
    announce()
    _wait_for_ever()


def stopped(announce: Announce) -> None:
    """On a record."""
    announce()
    os.kill(os.getpid(), signal.SIGSTOP)


def holds_the_gil(announce: Announce) -> None:
    """On a record: a loop in C that never releases the GIL."""
    announce()
    deque(itertools.repeat(None), maxlen=0)


def full_pipe(announce: Announce) -> None:
    """On a record."""
    _, write_end = os.pipe()
    announce()
    os.write(write_end, bytes(_GULP))


def ignores_sigterm(announce: Announce) -> None:
    """On a record."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    announce()
    _wait_for_ever()


def grandchildren(announce: Announce) -> None:
    """On a record."""
    for _ in range(2):
        subprocess.Popen(["/bin/sh", "-c", "sleep 1000 & sleep 1000"])
    announce()


def exits_0(announce: Announce) -> None:
    """On a record."""
    announce()
    os._exit(0)


def segfault(announce: Announce) -> None:
    """On a record."""
    announce()
    ctypes.string_at(0)


def crash_loop(announce: Announce) -> None:
    """On a record."""
    announce()
    os.kill(os.getpid(), signal.SIGKILL)


def floods_stderr(announce: Announce) -> None:
    """On a record."""
    announce()
    for _ in range(_FLOOD_BYTES // len(_LINE)):
        sys.stderr.buffer.write(_LINE)
    sys.stderr.flush()


def leaks_memory(announce: Announce) -> None:
    """On a record: allocate more and more memory, and touch every page of it."""
    announce()
    taken: list[bytes] = []
    while len(taken) * _GULP < _ENOUGH:
        taken.append(b"\1" * _GULP)
        threading.Event().wait(0.02)
    _wait_for_ever()


AT_IMPORT: Final = {"never_ready": never_ready, "crash_on_import": crash_on_import}
ON_A_RECORD: Final = {
    deed.__name__: deed
    for deed in (
        ready_and_silent,
        stopped,
        holds_the_gil,
        full_pipe,
        ignores_sigterm,
        grandchildren,
        exits_0,
        segfault,
        crash_loop,
        floods_stderr,
        leaks_memory,
    )
}
