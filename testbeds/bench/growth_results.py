"""What was measured as work grew, and what follows from it: pure functions over the runs."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bench_figures import Figure, figure
from growth_rows import Row


class Spans(NamedTuple):
    """How many spans a run says that it made, and sent out."""

    created: int
    exported: int


@dataclass(frozen=True)
class GrowthRun:
    """One timed run, start to exit."""

    wall_seconds: float
    cpu_seconds: float
    spans: Spans | None = None


@dataclass
class GrowthResults:
    """All runs, by row and size, one a round; the peak RSS of each process in MiB likewise."""

    runs: dict[tuple[str, int], list[GrowthRun]] = field(default_factory=dict)
    peaks: dict[tuple[str, int], Mapping[str, float]] = field(default_factory=dict)
    differing: list[str] = field(default_factory=list)
    _written: dict[tuple[str, str, int], object] = field(default_factory=dict)

    def wrote(self, row: Row, size: int, hashes: object) -> None:
        """Compare what a run wrote with the first one that did the same."""
        first = self._written.setdefault((row.made_of, row.same, size), hashes)
        name = f"{row.key} ({size:,})"
        if hashes != first and name not in self.differing:
            self.differing.append(name)

    def walls(self, row: Row, size: int) -> list[float]:
        """Seconds from start to exit, by round."""
        return [run.wall_seconds for run in self.runs.get((row.key, size), ())]

    def cpus(self, row: Row, size: int) -> list[float]:
        """Seconds of the processor, all processes', by round."""
        return [run.cpu_seconds for run in self.runs.get((row.key, size), ())]

    def spans(self, row: Row, size: int) -> Spans | None:
        """What the last run said of its spans."""
        runs = self.runs.get((row.key, size))
        return runs[-1].spans if runs else None


def further_cost(
    large: Sequence[float], small: Sequence[float], more_records: int
) -> Figure | None:
    """Give the seconds of one further record: those of the larger runs beyond the smaller ones'.

    Runs of one round are compared, and where there are not as many of both, with the smaller ones'
    median. None where the larger took no longer: there was nothing but noise.
    """
    if not large or not small:
        return None
    base = small if len(small) == len(large) else [statistics.median(small)] * len(large)
    found = figure([(a - b) / more_records for a, b in zip(large, base, strict=True)])
    return found if found and found.value > 0 else None


def peak_of(processes: Mapping[str, float], *names: str) -> float | None:
    """Give the largest peak of the processes whose id has one of the names in it."""
    found = [peak for process, peak in processes.items() if any(n in process for n in names)]
    return max(found, default=None)


def bytes_each(
    few: Mapping[str, float], many: Mapping[str, float], name: str, more: int
) -> float | None:
    """Give the bytes by which the process of that name grew, for each thing more that it holds."""
    before, after = peak_of(few, name), peak_of(many, name)
    if before is None or after is None:
        return None
    return (after - before) * 2**20 / more
