"""The runs of variants, and what follows from them: pure functions."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from bench_accounts import Account
from bench_figures import Figure, figure
from bench_variants import PLAIN, Variant

Wrote = tuple[str | None, str | None]
"""The SHA-256 of a run's output and rejects."""


class VariantRun(NamedTuple):
    """One run: from the first record read to the last byte written, and of all its processes."""

    inside_seconds: float
    cpu_seconds: float
    wall_seconds: float


class Between(NamedTuple):
    """A run of a variant, and those of four processes as they are before and after it."""

    before: VariantRun
    variant: VariantRun
    after: VariantRun


@dataclass
class Variants:
    """All runs, of so many records: by variant, one a round.

    ``starts`` are the CPU seconds of runs of nothing but start and end. ``wrote`` has the hashes
    of output and rejects, by variant and for `PLAIN`. ``others`` is how many cores others used, by
    round. ``accounts`` are what profiled runs say, of `PLAIN` and some variants, one a round.
    """

    records: int
    runs: dict[str, list[Between]] = field(default_factory=dict)
    starts: dict[str, list[float]] = field(default_factory=dict)
    wrote: dict[str, set[Wrote]] = field(default_factory=dict)
    others: list[float] = field(default_factory=list)
    accounts: dict[str, list[Account]] = field(default_factory=dict)

    def by_plain(self, name: str) -> list[float]:
        """Give a variant's steady time by that of four processes as they are, round by round."""
        return [
            run.inside_seconds / statistics.mean((before.inside_seconds, after.inside_seconds))
            for before, run, after in self.runs.get(name, ())
        ]

    def processor_by_plain(self, name: str) -> list[float]:
        """Give the same of the processor time of all processes, without start and end.

        Nothing where so few records ran that there is little else.
        """
        if not (self.starts.get(name) and self.starts.get(PLAIN)):
            return []
        own, plain = (statistics.median(self.starts[key]) for key in (name, PLAIN))
        spent = [
            (
                run.cpu_seconds - own,
                statistics.mean((before.cpu_seconds, after.cpu_seconds)) - plain,
            )
            for before, run, after in self.runs.get(name, ())
        ]
        return [one / other for one, other in spent if one > 0 and other > 0]

    def signing_percent(self) -> list[float]:
        """Give what signing and verifying has of four processes' processor time, by round."""
        spent = self._processor_microseconds()
        return [100 * each.signing / spent for each in self.accounts.get(PLAIN, ()) if spent]

    def watching_percent(self, name: str) -> list[float]:
        """Give what a variant tells more of its work in, in per cent of the same, by round."""
        spent = self._processor_microseconds()
        both = zip(self.accounts.get(name, ()), self.accounts.get(PLAIN, ()), strict=False)
        return [
            100 * (own.watching - plain.watching) / spent
            for own, plain in both
            if spent and own.watching is not None and plain.watching is not None
        ]

    def _processor_microseconds(self) -> float:
        """Of a record in four processes as they are, not profiled; 0 where that is not known."""
        starts = self.starts.get(PLAIN)
        plain = [b.before.cpu_seconds for betweens in self.runs.values() for b in betweens]
        if not starts or not plain:
            return 0.0
        seconds = statistics.median(plain) - statistics.median(starts)
        return 1e6 * max(seconds, 0.0) / self.records

    def identical(self, name: str, yardstick: Set[Wrote]) -> bool:
        """Tell whether a variant, or `PLAIN`, wrote what the yardstick did.

        Where that did not run, it is compared with `PLAIN`.
        """
        everything = self.wrote.get(name, set()) | (yardstick or self.wrote.get(PLAIN, set()))
        return len(everything) == 1 and None not in next(iter(everything))


def percent_more(ratios: Sequence[float]) -> Figure | None:
    """Give by how many per cent of the other's the figures are more: a cost."""
    return figure([100 * (ratio - 1) for ratio in ratios])


def percent_less(ratios: Sequence[float]) -> Figure | None:
    """Give by how many per cent they are less: the share of what was left out."""
    return figure([100 * (1 - ratio) for ratio in ratios])


def compared(
    order: Sequence[Variant | None], runs: Sequence[VariantRun]
) -> Iterator[tuple[str, Between]]:
    """Give each run of a variant with the two that it is compared with."""
    plain = [number for number, variant in enumerate(order) if variant is None]
    for before, after in pairwise(plain):
        for number in range(before + 1, after):
            variant = order[number]
            if variant is not None:
                yield variant.name, Between(runs[before], runs[number], runs[after])
