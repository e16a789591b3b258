"""One command to its end: the time, the CPU time of all its processes, and their peak memory.

Descendants that outlive their parents (Ray's do) are adopted by this process where the system can
do that (Linux), waited for, and counted; so one command runs at a time, and this process has no
other children.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from bench_memory import Peak, Sampler, descendants

_ADOPT = 36  # PR_SET_CHILD_SUBREAPER, linux/prctl.h
_ORPHAN_SECONDS = 20.0
_ORPHAN_TICK = 0.02
_TAIL = 65_536
_REASON_CHARACTERS = 200


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    ``exit_code`` is None when it was killed for taking too long. ``cpu_seconds`` are user and
    system, of all that was waited for. ``peak`` is None where memory was not looked at.
    """

    exit_code: int | None
    wall_seconds: float
    cpu_seconds: float
    stderr: str
    peak: Peak | None

    def why(self, timeout_seconds: float) -> str:
        """Say why it failed: it was killed after the timeout, or its last words."""
        if self.exit_code is None:
            return f"it took more than {timeout_seconds:.0f} s"
        return last_words(self.stderr)


def last_words(text: str) -> str:
    """Give the last line of what a program said that says something, cut to a line's length."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:_REASON_CHARACTERS] if lines else "it said nothing"


def surroundings(folder: Path, *modules: Path) -> dict[str, str]:
    """Give the environment variables that commands are measured with; they find ``modules``.

    Compiled code is kept, as it is for a user, but in ``folder`` and not in the checkout.
    """
    left_out = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    return environment | {
        "PYTHONPATH": os.pathsep.join(map(str, modules)),
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
    }


def adopt_orphans() -> None:
    """Have descendants whose parents end become children of this process, on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_ADOPT, 1, 0, 0, 0)


def run(
    command: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str],
    timeout_seconds: float,
    sampler: Sampler | None = None,
) -> Ended:
    """Run a command, what it says going to ``log``.

    With a ``sampler`` its memory is looked at, which costs it some time: then do not use that.

    :raises OSError: when it cannot be started.
    """
    with log.open("wb") as said:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment
        )
    late = threading.Event()
    watchdog = threading.Timer(timeout_seconds, _kill, [late])
    watchdog.start()
    with sampler or contextlib.nullcontext():
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        watchdog.cancel()
        cpu = usage.ru_utime + usage.ru_stime + sum(_orphans())
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(
        exit_code=None if late.is_set() else process.returncode,
        wall_seconds=wall,
        cpu_seconds=cpu,
        stderr=log.read_bytes()[-_TAIL:].decode("utf-8", "replace"),
        peak=sampler.peak() if sampler else None,
    )


class Others:
    """Tells how much of the machine others used since it was made: steal of a host among it."""

    def __init__(self) -> None:
        self._began, self._busy, self._own = time.monotonic(), _busy_seconds(), _own_seconds()

    def cores(self, ours: float) -> float:
        """Give it as a number of cores, what we ran having used so many seconds of them."""
        seconds = time.monotonic() - self._began
        busy = _busy_seconds() - self._busy - (_own_seconds() - self._own) - ours
        return max(0.0, busy) / seconds if seconds else 0.0


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    names = ("user", "nice", "system", "irq", "softirq", "steal")  # what a system does not have: 0
    return sum(getattr(times, name, 0.0) for name in names)


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system


def _kill(late: threading.Event) -> None:
    late.set()
    _kill_all()


def _kill_all() -> None:
    for process in descendants():
        with contextlib.suppress(psutil.Error):
            process.kill()


def _orphans() -> Iterator[float]:
    """Wait for what the command left behind, and end it if that is long; the CPU time of each."""
    tick = threading.Event()
    end = time.monotonic() + _ORPHAN_SECONDS
    while True:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid:
            yield usage.ru_utime + usage.ru_stime
            continue
        if time.monotonic() > end:
            _kill_all()
        tick.wait(_ORPHAN_TICK)
