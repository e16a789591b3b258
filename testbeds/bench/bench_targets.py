"""The targets of the specification, row by row, and the verdict on each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bench_figures import Figure, figure
from bench_memory import SUPERVISOR
from bench_results import Results
from bench_systems import START_UP_RECORDS

MEMORY_RECORDS: Final = 100_000
"""What the memory of more records is compared with."""

Question = Callable[[Results], tuple[Figure | None, str]]
"""Gives the figure and what it was taken on; None and why there is none."""


class Verdict(StrEnum):
    """How a figure stands to its target and its floor."""

    MET = "met"
    FLOOR = "above the floor"
    BELOW = "BELOW THE FLOOR"
    NOISE = "not told: short by less than the noise"
    MISSED = "missed"
    BUSY = "not judged: others used the machine"
    UNKNOWN = "not measured"


@dataclass(frozen=True)
class Target:
    """A row: what is wanted, and what is the least.

    Where ``most`` is true the figure is to be at most these, else at least. A row that is not
    ``binding`` never fails a session: seconds of a machine, or a single sample. The figure is
    shown with ``places`` behind the point.
    """

    id: str
    what: str
    target: float
    floor: float | None
    ask: Question
    most: bool = False
    binding: bool = True
    unit: str = "x"
    places: int = 2


@dataclass(frozen=True)
class Row:
    """A target as it was found."""

    target: Target
    figure: Figure | None
    on: str
    verdict: Verdict

    @property
    def failed(self) -> bool:
        """Whether the session fails on it."""
        return self.target.binding and self.verdict is Verdict.BELOW


def judge(target: Target, figure: Figure | None) -> Verdict:
    """Give the verdict: below a floor is only what is below it by more than the noise.

    So is what misses a target that has no floor.
    """
    if figure is None:
        return Verdict.UNKNOWN
    sign = -1 if target.most else 1
    if sign * figure.value >= sign * target.target:
        return Verdict.MET
    best = figure.low if target.most else figure.high
    if target.floor is None:
        reached = best is not None and sign * best >= sign * target.target
        return Verdict.NOISE if reached else Verdict.MISSED
    if best is None or sign * best >= sign * target.floor:
        return Verdict.FLOOR
    return Verdict.BELOW


def evaluate(results: Results, targets: Sequence[Target]) -> list[Row]:
    """Judge all rows; where others used the machine nothing is below a floor."""
    rows = []
    for target in targets:
        figure, on = target.ask(results)
        verdict = judge(target, figure)
        if verdict is Verdict.BELOW and results.disturbed:
            verdict = Verdict.BUSY
        rows.append(Row(target, figure, on, verdict))
    return rows


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Put the rows of each id side by side, in the order of the ids."""
    return sorted(rows, key=lambda row: int(row.target.id.removeprefix("P")))


def speed(system: str, other: str) -> Question:
    """Ask how many times as fast as another a system is, on the most records that both ran."""

    def ask(results: Results) -> tuple[Figure | None, str]:
        if gone := _absent(results, system, other):
            return None, gone
        largest = results.largest(system, other)
        if largest is None:
            return None, f"{system} and {other} did not both run in two sizes"
        return results.speed(system, other, largest), f"{largest:,} records, steady"

    return ask


def inside_speed(system: str, other: str) -> Question:
    """Ask the same of the marks that both set themselves, each by its own name for them."""

    def ask(results: Results) -> tuple[Figure | None, str]:
        if gone := _absent(results, system, other):
            return None, gone
        both = [n for n in results.records if results.inside_ratios(system, other, n)]
        if not both:
            return None, f"{system} and {other} did not both tell their time"
        return results.inside_speed(system, other, both[-1]), f"{both[-1]:,} records, inside"

    return ask


def _absent(results: Results, *systems: str) -> str:
    """Which of the systems is absent, and why; empty if none is."""
    told = (
        f"{name} is absent: {results.absent[name]}" for name in systems if name in results.absent
    )
    return next(told, "")


def start_up(results: Results) -> tuple[Figure | None, str]:
    """Ask for the seconds of four processes with so few records that they do not count."""
    return figure(results.walls("four", START_UP_RECORDS)), "whole process, 1 000 records"


def start_up_ratio(results: Results) -> tuple[Figure | None, str]:
    """Ask for the same by a bare spawn."""
    ratio = results.whole_ratio("four", "spawn_probe", START_UP_RECORDS)
    return ratio, "whole processes, 1 000 records"


def memory_growth(results: Results) -> tuple[Figure | None, str]:
    """Ask by how much the processes without state grow, from 100 000 records to the most."""
    few = MEMORY_RECORDS
    most = max((n for name, n in results.peaks if name == "four"), default=few)
    small, large = (results.peaks.get(("four", n)) for n in (few, most))
    if most <= few or small is None or large is None:
        return None, "four processes did not run with 100 000 and with more records"
    names = [
        name
        for name in small.by_process.keys() & large.by_process.keys()
        if name == SUPERVISOR or "ingress" in name or "egress" in name
    ]
    if not names:
        return None, "no process of four was seen twice"
    worst = max(large.by_process[name] / small.by_process[name] for name in names)
    on = f"{most:,} against {few:,} records, the worst of {len(names)}"
    why = f"; {results.no_large}" if results.no_large else ""
    return Figure(worst, None, None, 1), on + why


def cost_growth(system: str, few: int) -> Question:
    """Ask how much dearer a record is among the most than among few."""

    def ask(results: Results) -> tuple[Figure | None, str]:
        most = max(results.records)
        if few not in results.records or few == most:
            return None, f"that takes {few:,} records and more"
        return results.growth(system, few), f"{few:,} to {most:,} records, inside"

    return ask
