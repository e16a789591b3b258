"""The memory of a tree of processes over time, seen from outside."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import psutil
from bench_watch import Watch

_MIB: Final = 2**20
_EVERY_SECONDS: Final = 0.1
SUPERVISOR: Final = "supervisor"


@dataclass(frozen=True)
class Peak:
    """Peaks in MiB: of the sums over all processes at one moment, and of each process by name.

    ``rss_mib`` counts a shared page once for each process that has it, ``pss_mib`` (None where the
    system does not tell) once in all. ``by_process`` has the first process as ``supervisor``, and
    our workers by their ids. ``cpu_seconds`` is what all processes had used when last seen: a lower
    bound that holds for those too that nobody waits for.
    """

    rss_mib: float
    pss_mib: float | None
    cpu_seconds: float
    by_process: dict[str, float]


class Sampler(Watch):
    """Looks at all descendants of this process, ten times a second, while it is entered.

    PSS is dear to tell, the more so the larger a process is: without it a look costs little.
    """

    def __init__(self, *, every_seconds: float = _EVERY_SECONDS, pss: bool = True) -> None:
        super().__init__()
        self._every, self._with_pss = every_seconds, pss
        self._rss = self._pss = 0
        self._by_process: dict[str, int] = defaultdict(int)
        self._cpu: dict[psutil.Process, float] = {}
        self._names: dict[psutil.Process, str | None] = {}

    def peak(self) -> Peak:
        """Give what was seen."""
        return Peak(
            rss_mib=self._rss / _MIB,
            pss_mib=self._pss / _MIB if self._pss else None,
            cpu_seconds=sum(self._cpu.values()),
            by_process={name: size / _MIB for name, size in self._by_process.items()},
        )

    def look_until_done(self) -> None:
        """See the base."""
        self._look()
        while not self.done.wait(self._every):
            self._look()

    def _look(self) -> None:
        rss = pss = 0
        for process in descendants():
            try:
                with process.oneshot():
                    memory = process.memory_full_info() if self._with_pss else process.memory_info()
                    times = process.cpu_times()
                    name = self._name(process)
            except psutil.Error:
                continue  # it has just ended
            rss += memory.rss
            pss += getattr(memory, "pss", 0)
            self._cpu[process] = times.user + times.system
            if name is not None:
                self._by_process[name] = max(self._by_process[name], memory.rss)
        self._rss, self._pss = max(self._rss, rss), max(self._pss, pss)

    def _name(self, process: psutil.Process) -> str | None:
        if process not in self._names:
            self._names[process] = _name_of(process)
        return self._names[process]


def descendants() -> list[psutil.Process]:
    """Give all processes that come from this one."""
    return psutil.Process().children(recursive=True)


def _name_of(process: psutil.Process) -> str | None:
    """Our workers bear their id as their last argument; the first process is our child."""
    arguments = process.cmdline()
    if any(argument.endswith("/sk_supervisor/_worker/child.py") for argument in arguments):
        return arguments[-1]
    return SUPERVISOR if process.ppid() == os.getpid() and "-m" in arguments else None
