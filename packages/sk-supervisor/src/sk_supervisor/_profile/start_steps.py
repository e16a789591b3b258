"""The steps of a run's start, from the times of its events. Pure, except :func:`started_ns`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

import msgspec
from sk_kernel import LifecycleEvent
from sk_observability import EventName


class Start(msgspec.Struct, frozen=True):
    """The times of a supervisor's start steps, in nanoseconds since the epoch; 0 if not reached.

    ``spawned`` and ``ready`` are the times of the workers, by worker id.
    """

    began: int
    configured: int
    gate: int
    spawned: dict[str, int]
    ready: dict[str, int]


def start_of(began: int, configured: int, events: Iterable[LifecycleEvent]) -> Start:
    """The start of a run, read from its events; a worker id that repeats counts the first time."""
    gate = 0
    spawned: dict[str, int] = {}
    ready: dict[str, int] = {}
    for event in events:
        if event.name == EventName.SUPERVISOR_START_WORKLOAD:
            gate = gate or event.time_ns
        elif event.name == EventName.WORKER_SPAWNED and event.worker:
            spawned.setdefault(event.worker, event.time_ns)
        elif event.name == EventName.WORKER_READY and event.worker:
            ready.setdefault(event.worker, event.time_ns)
    return Start(began, configured, gate, spawned, ready)


def started_ns() -> int:
    """The time at which this process was started, in nanoseconds since the epoch.

    Without Linux's ``/proc`` it is estimated as the present time less the CPU time used so far.
    """
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError):  # no Linux
        age = time.process_time()
    return time.time_ns() - int(age * 1e9)
