"""Where the time of one thread goes, by stage: made for a run that is profiled, and only then.

A stage is timed by wrapping the call that does it, once, when the run is built: the objects that
are called stay what they are, and without a stopwatch nothing is wrapped. A stage that is called
within another one is taken out of that one's time.
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
    """What a stage has taken, without the stages within it, in seconds.

    ``cpu_seconds`` are of its thread; ``wait_seconds`` is the time for which that had none: it was
    blocked, or others had the processor, or the interpreter's lock. ``first_ns`` is when it was
    first begun, and ``through_ns`` when it was first done, in nanoseconds since the epoch; 0 where
    it never was.
    """

    name: str
    calls: int = 0
    cpu_seconds: float = 0.0
    wait_seconds: float = 0.0
    first_ns: int = 0
    through_ns: int = 0


class _Account:
    """Own time of one stage, in nanoseconds; ``parts`` are of the nodes that it runs as one."""

    __slots__ = ("calls", "cpu", "first", "parts", "through", "wall")

    def __init__(self) -> None:
        self.calls = self.cpu = self.wall = self.first = self.through = 0
        self.parts: dict[str, list[int]] = {}

    def restart(self) -> None:
        """Begin again at nothing."""
        self.calls = self.cpu = self.wall = self.first = self.through = 0
        for cell in self.parts.values():
            cell[:] = 0, 0


class Stopwatch:
    """Measures the stages of one thread; of several threads each has its own.

    :param cpu_clock: nanoseconds of processor time that the calling thread has had.
    :param wall_clock: nanoseconds, of a clock that never goes back.

    ``threads`` are those that it has measured, by their native identifier.
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
        """Forget what was measured until now. In its thread, and within no stage."""
        for account in self._accounts.values():
            account.restart()

    def timed(self, stage: str, call: Callable[P, T]) -> Callable[P, T]:
        """``call``, timed: some two microseconds dearer, so for what is done once a batch."""
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
        """A node's ``call`` within a stage that runs several in turn: timed for each record.

        Only its share of the stage counts, so that what the looking at the clock costs does not.
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
        """What has been measured, in the order in which it was wrapped."""
        look = _cost_of_a_look(self._wall_clock)
        several = (_told(name, account, look) for name, account in self._accounts.items())
        return [stage for stages in several for stage in stages]


def timed_if(stopwatch: Stopwatch | None, stage: str, call: Callable[P, T]) -> Callable[P, T]:
    """``call``, timed where there is a stopwatch."""
    return call if stopwatch is None else stopwatch.timed(stage, call)


def _told(name: str, account: _Account, look: tuple[float, float]) -> Iterable[Stage]:
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
    """Nanoseconds that timing a call of nothing shows, and that it costs: where nobody disturbs."""
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
