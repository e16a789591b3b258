"""What was measured, and the questions that the report asks of it."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench_figures import Figure, figure, paired_ratios, steady_costs
from bench_memory import Peak
from bench_otlp import Sent
from bench_requests import Asked
from bench_variant_results import Variants

CALM_CORES: Final = 0.25
"""What others may use of the cores that four workers and their supervisor want."""
_WANTED_CORES: Final = 5


@dataclass(frozen=True)
class Measured:
    """One run. ``inside_seconds``: from the first record to the last byte, by its own account."""

    wall_seconds: float
    cpu_seconds: float
    inside_seconds: float | None
    output_sha256: str | None
    rejects_sha256: str | None
    reasons: Mapping[str, int] | None = None


@dataclass
class Results:
    """All runs of a session: by system and records, one a round, the rounds side by side.

    ``records`` are the sizes, ascending; the smallest is what the others are taken the steady
    state against. ``peaks`` are of the uncounted runs that memory was looked at in. ``absent`` has
    the reason of each system that could not run. ``unwaited`` are, of the uncounted runs, the CPU
    seconds that were seen beyond those of all processes that were waited for. ``asked``, ``sent``
    and ``variants`` are what was measured of requests, of spans to a receiver, and of variants of
    four processes; ``no_large`` why the run for memory alone is not among the ``peaks``. ``others``
    is how many of the machine's ``cores`` others used, by round.
    """

    records: Sequence[int]
    runs: dict[tuple[str, int], list[Measured]] = field(default_factory=dict)
    peaks: dict[tuple[str, int], Peak] = field(default_factory=dict)
    unwaited: dict[tuple[str, int], float] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    asked: Sequence[Asked] = ()
    sent: Sent | None = None
    variants: Variants | None = None
    no_large: str = ""
    others: list[float] = field(default_factory=list)
    cores: int = field(default_factory=lambda: os.cpu_count() or 1)

    @property
    def disturbed(self) -> bool:
        """Whether others had so much of the machine that it is no place to be judged on.

        In a half of the rounds: what runs on all cores loses by it, and what runs on one does not,
        in every round alike, so that no noise tells it.
        """
        spare = max(0, self.cores - _WANTED_CORES)
        return bool(self.others) and statistics.median(self.others) > spare + CALM_CORES

    @property
    def steady_sizes(self) -> Sequence[int]:
        """The sizes that a steady state can be had at, ascending."""
        return self.records[1:]

    def cpu_of_round(self, number: int) -> float:
        """Give the CPU seconds of all runs of a round."""
        rounds = (runs[number] for runs in self.runs.values() if number < len(runs))
        return sum(run.cpu_seconds for run in rounds)

    def drop(self, system: str, reason: str) -> None:
        """Make a system absent, whatever it has done so far."""
        self.absent[system] = reason
        for key in [key for key in (*self.runs, *self.peaks) if key[0] == system]:
            self.runs.pop(key, None)
            self.peaks.pop(key, None)

    def has(self, system: str, records: int) -> bool:
        """Tell whether a system ran with so many records."""
        return (system, records) in self.runs

    def largest(self, *systems: str) -> int | None:
        """Give the largest size that all the systems have a steady state at."""
        shared = [n for n in self.steady_sizes if all(self.costs(s, n) for s in systems)]
        return max(shared, default=None)

    def walls(self, system: str, records: int) -> list[float]:
        """Give the seconds of whole processes, round by round."""
        return [run.wall_seconds for run in self.runs.get((system, records), ())]

    def costs(self, system: str, records: int, against: int | None = None) -> list[float | None]:
        """Give the steady seconds of one record, round by round; nothing where it did not run."""
        base = self.records[0] if against is None else against
        if records <= base or not (self.has(system, records) and self.has(system, base)):
            return []
        large, small = self.walls(system, records), self.walls(system, base)
        return steady_costs(large, small, records - base)

    def rate(self, system: str, records: int) -> Figure | None:
        """Give the steady records a second."""
        costs = figure([cost for cost in self.costs(system, records) if cost is not None])
        return costs.inverted() if costs else None

    def speed(self, system: str, other: str, records: int) -> Figure | None:
        """Give how many times as fast as another a system is in its steady state."""
        theirs, own = self.costs(other, records), self.costs(system, records)
        return figure(paired_ratios(theirs, own)) if theirs and own else None

    def whole_ratio(self, system: str, other: str, records: int) -> Figure | None:
        """Give how many times as long as another a system takes, start to exit."""
        own, theirs = self.walls(system, records), self.walls(other, records)
        return figure(paired_ratios(own, theirs)) if own and theirs else None

    def growth(self, system: str, few: int) -> Figure | None:
        """Give what a record costs among the most, by what it costs among few: inside both times.

        A difference of whole processes, which is the steady cost elsewhere, tells nothing of ten
        thousand records: start and end alone differ by more than those take.
        """
        most = max(self.records)
        if few >= most:
            return None
        small, large = self._insides(system, few), self._insides(system, most)
        rounds = min(len(small), len(large))
        ratios = paired_ratios(large[:rounds], small[:rounds])
        return figure([ratio * few / most for ratio in ratios])

    def inside_rate(self, system: str, records: int) -> Figure | None:
        """Give the records a second by the system's own marks."""
        runs = self.runs.get((system, records), ())
        return figure([records / run.inside_seconds for run in runs if run.inside_seconds])

    def inside_ratios(self, system: str, other: str, records: int) -> list[float]:
        """Give how many times as fast as another a system is by the marks of both.

        Round by round, of those rounds that both ran in.
        """
        own, theirs = (self._insides(name, records) for name in (system, other))
        rounds = min(len(own), len(theirs))
        return paired_ratios(theirs[:rounds], own[:rounds])

    def inside_speed(self, system: str, other: str, records: int) -> Figure | None:
        """Give the median of these."""
        return figure(self.inside_ratios(system, other, records))

    def _insides(self, system: str, records: int) -> list[float | None]:
        return [run.inside_seconds for run in self.runs.get((system, records), ())]

    def cpu_seconds(self, system: str, records: int) -> float | None:
        """Give the median CPU seconds of all processes, those that nobody waits for included."""
        waited = figure([run.cpu_seconds for run in self.runs.get((system, records), ())])
        return waited.value + self.unwaited.get((system, records), 0.0) if waited else None
