"""Measure the time of one thread by stage; used only for a run that is profiled.

A stage is timed by wrapping its function once, when the run is built. The wrapped objects do not
change, and without a stopwatch nothing is wrapped. The time of a stage that is called within
another one is not part of the outer stage's time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from threading import get_native_id
from typing import Any, Final, ParamSpec, TypeVar

from msgspec import Struct

P = ParamSpec("P")
T = TypeVar("T")

_PROBES: Final = 100
_TRIES: Final = 50


class Stage(Struct, frozen=True):
    """The time that a stage took, in seconds, without the stages within it.

    ``cpu_seconds`` is processor time of its thread. ``wait_seconds`` is the rest of the elapsed
    time: the thread was blocked, or others had the processor or the global interpreter lock.
    ``first_ns`` is when the stage first began, ``through_ns`` when it first ended, in nanoseconds
    since the epoch; 0 if it never did.
    """

    name: str
    calls: int = 0
    cpu_seconds: float = 0.0
    wait_seconds: float = 0.0
    first_ns: int = 0
    through_ns: int = 0


class _Account:
    """The own time of one stage, in nanoseconds.

    ``parts`` holds, for each node that the stage runs in turn, the elapsed time and the calls.
    """

    __slots__ = ("calls", "cpu", "first", "parts", "through", "wall")

    def __init__(self) -> None:
        self.calls = self.cpu = self.wall = self.first = self.through = 0
        self.parts: dict[str, list[int]] = {}

    def restart(self) -> None:
        """Reset everything to 0."""
        self.calls = self.cpu = self.wall = self.first = self.through = 0
        for cell in self.parts.values():
            cell[:] = 0, 0


class Stopwatch:
    """Measures the stages of one thread; each thread needs a stopwatch of its own.

    :param cpu_clock: the processor time of the calling thread, in nanoseconds.
    :param wall_clock: a monotonic clock, in nanoseconds.

    ``threads`` holds the native identifiers of the threads that it has measured.
    """

    def __init__(
        self,
        cpu_clock: Callable[[], int] = time.thread_time_ns,
        wall_clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._cpu_clock, self._wall_clock = cpu_clock, wall_clock
        self._accounts: dict[str, _Account] = {}
        self._inner_cpu = self._inner_wall = 0
        self.threads: set[int] = set()

    def restart(self) -> None:
        """Discard all measurements; call it in the measured thread, outside of all stages."""
        for account in self._accounts.values():
            account.restart()

    def timed(self, stage: str, call: Callable[P, T]) -> Callable[P, T]:
        """Wrap ``call`` to time it; this costs about two microseconds, so use it once per batch."""
        account = self._accounts.setdefault(stage, _Account())
        cpu_clock, wall_clock = self._cpu_clock, self._wall_clock

        def run(*arguments: P.args, **named: P.kwargs) -> T:
            outer_cpu, self._inner_cpu = self._inner_cpu, 0
            outer_wall, self._inner_wall = self._inner_wall, 0
            if not account.first:
                account.first = time.time_ns()
                self.threads.add(get_native_id())
            wall, cpu = wall_clock(), cpu_clock()
            try:
                return call(*arguments, **named)
            finally:
                cpu, wall = cpu_clock() - cpu, wall_clock() - wall
                account.through = account.through or time.time_ns()
                account.calls += 1
                account.cpu += cpu - self._inner_cpu
                account.wall += wall - self._inner_wall
                self._inner_cpu, self._inner_wall = outer_cpu + cpu, outer_wall + wall

        return run

    def part(self, stage: str, node: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the ``call`` of one of several nodes that a stage runs in turn, to time each record.

        The time of the stage is divided among its nodes in proportion to these times, after the
        cost of reading the clock has been deducted.
        """
        account = self._accounts.setdefault(stage, _Account())
        cell = account.parts.setdefault(node, [0, 0])
        clock = self._wall_clock

        def run(*arguments: Any, **named: Any) -> Any:
            began = clock()
            try:
                return call(*arguments, **named)
            finally:
                cell[0] += clock() - began
                cell[1] += 1

        return run

    def stages(self) -> list[Stage]:
        """Return the measured stages, in the order in which they were wrapped."""
        look = _cost_of_a_look(self._wall_clock)
        several = (_stages_of(name, account, look) for name, account in self._accounts.items())
        return [stage for stages in several for stage in stages]


def timed_if(stopwatch: Stopwatch | None, stage: str, call: Callable[P, T]) -> Callable[P, T]:
    """Wrap ``call`` to time it if there is a stopwatch; otherwise return it unchanged."""
    return call if stopwatch is None else stopwatch.timed(stage, call)


def _stages_of(name: str, account: _Account, look: tuple[float, float]) -> Iterable[Stage]:
    cpu, wait = account.cpu / 1e9, max(account.wall - account.cpu, 0) / 1e9
    if not account.parts:
        return [Stage(name, account.calls, cpu, wait, account.first, account.through)]
    inside, whole = look
    calls = sum(count for _, count in account.parts.values())
    own = {node: max(spent - count * inside, 0) for node, (spent, count) in account.parts.items()}
    total = sum(own.values()) or 1
    cpu = max(cpu - calls * whole / 1e9, 0.0)
    return [
        Stage(node, account.parts[node][1], cpu * part, wait * part, account.first)
        for node, part in ((node, spent / total) for node, spent in own.items())
    ]


def _cost_of_a_look(clock: Callable[[], int]) -> tuple[float, float]:
    """Measure :meth:`Stopwatch.part` on an empty function, in nanoseconds per call.

    Returns the time that it shows, and the time that it costs: the least of several tries.
    """
    looks = [_look(clock) for _ in range(_TRIES)]
    return min(shown for shown, _ in looks), min(cost for _, cost in looks)


def _look(clock: Callable[[], int]) -> tuple[float, float]:
    watch = Stopwatch(wall_clock=clock)
    probe = watch.part("", "", lambda _: None)
    began = clock()
    for number in range(_PROBES):
        probe(number)
    cost = clock() - began
    shown, _ = watch._accounts[""].parts[""]
    return shown / _PROBES, cost / _PROBES
