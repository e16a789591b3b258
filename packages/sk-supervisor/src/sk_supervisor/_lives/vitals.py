"""What the process of a silent worker is doing: stopped, busy, idle, or gone."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

#: More than this share of one core, in a silent process, counts as busy: on a loaded machine it
#: gets less than it asks for, and a blocked process uses none.
_BUSY_SHARE: Final = 0.1
#: Process states, as psutil names them.
_STOPPED: Final = frozenset({"stopped", "tracing-stop"})
_GONE: Final = frozenset({"zombie", "dead", ""})


class Vitals(StrEnum):
    """What the process of a silent worker is doing."""

    STOPPED = "stopped"
    """By SIGSTOP, SIGTSTP or a debugger."""
    BUSY = "busy"
    """Its CPU time increases: most likely it runs C code that holds the GIL."""
    IDLE = "idle"
    """It waits, for a lock or in a system call, and holds the GIL meanwhile."""
    GONE = "gone"


#: The words in the message of a failure.
WORDS: Final = {
    Vitals.STOPPED: "its process is stopped (SIGSTOP, or a debugger)",
    Vitals.BUSY: "its process is busy",
    Vitals.IDLE: "its process is idle",
    Vitals.GONE: "its process is gone",
}


class ProcessLook(NamedTuple):
    """A sample of a process at a time of the loop's clock; ``status`` is empty if it is gone."""

    at: float
    status: str = ""
    cpu_seconds: float = 0.0


def classify(status: str, cpu_seconds_used: float, silent_seconds: float) -> Vitals:
    """Return what a process is doing, by its status and its CPU time in ``silent_seconds``."""
    if status in _GONE:
        return Vitals.GONE
    if status in _STOPPED:
        return Vitals.STOPPED
    if cpu_seconds_used > _BUSY_SHARE * silent_seconds:
        return Vitals.BUSY
    return Vitals.IDLE


def between(first: ProcessLook, second: ProcessLook) -> Vitals:
    """Return what a process was doing between two samples."""
    return classify(second.status, second.cpu_seconds - first.cpu_seconds, second.at - first.at)


def look_at(pid: int, now: float) -> ProcessLook:
    """Sample a process; it may be gone."""
    import psutil  # 20 ms, which only runs with a silent worker need to spend

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            used = process.cpu_times()
            return ProcessLook(now, process.status(), used.user + used.system)
    except psutil.Error:
        return ProcessLook(now)
