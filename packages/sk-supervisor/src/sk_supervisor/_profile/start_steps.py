"""How a run came up, step by step, from what its processes and events say of when. Pure but one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

import msgspec
from sk_kernel import LifecycleEvent
from sk_observability import EventName


class Start(msgspec.Struct, frozen=True):
    """When a supervisor took its steps: nanoseconds since the epoch; 0 for what it did not take.

    ``spawned`` and ``ready`` are those of the workers, by their id.
    """

    began: int
    configured: int
    gate: int
    spawned: dict[str, int]
    ready: dict[str, int]


def start_of(began: int, configured: int, events: Iterable[LifecycleEvent]) -> Start:
    """The start that a run's events tell of; of a worker that was restarted its first."""
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
    """When this process was started, as far as the system says: else when it is asked."""
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError):  # no Linux
        age = time.process_time()
    return time.time_ns() - int(age * 1e9)
