"""What a silent worker is doing, told from its process: stopped, busy, idle, or gone."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

#: This share of one core, in a process that says nothing, is work: a crowded machine gives it less
#: than it asks for, and one that is blocked uses none.
_BUSY_SHARE: Final = 0.1
#: States of a process in psutil's words.
_STOPPED: Final = frozenset({"stopped", "tracing-stop"})
_GONE: Final = frozenset({"zombie", "dead", ""})


class Vitals(StrEnum):
    """What a process that is not heard is doing."""

    STOPPED = "stopped"
    """By SIGSTOP, SIGTSTP or a debugger."""
    BUSY = "busy"
    """Its CPU time goes on: code in C, most likely, that holds the GIL."""
    IDLE = "idle"
    """It waits, for a lock or in the system, and holds the GIL meanwhile."""
    GONE = "gone"


#: How a failure puts it.
WORDS: Final = {
    Vitals.STOPPED: "its process is stopped (SIGSTOP, or a debugger)",
    Vitals.BUSY: "its process is busy",
    Vitals.IDLE: "its process is idle",
    Vitals.GONE: "its process is gone",
}


class ProcessLook(NamedTuple):
    """A process at one moment of the loop's clock; ``status`` is empty where there is none."""

    at: float
    status: str = ""
    cpu_seconds: float = 0.0


def classify(status: str, cpu_seconds_used: float, silent_seconds: float) -> Vitals:
    """What a process does that is in ``status`` and used so much CPU time in so many seconds."""
    if status in _GONE:
        return Vitals.GONE
    if status in _STOPPED:
        return Vitals.STOPPED
    if cpu_seconds_used > _BUSY_SHARE * silent_seconds:
        return Vitals.BUSY
    return Vitals.IDLE


def between(first: ProcessLook, second: ProcessLook) -> Vitals:
    """What a process did from one look at it to another."""
    return classify(second.status, second.cpu_seconds - first.cpu_seconds, second.at - first.at)


def look_at(pid: int, now: float) -> ProcessLook:
    """Look at a process; it may be gone."""
    import psutil  # a fiftieth of a second that a run without a silent worker does not take

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            used = process.cpu_times()
            return ProcessLook(now, process.status(), used.user + used.system)
    except psutil.Error:
        return ProcessLook(now)
