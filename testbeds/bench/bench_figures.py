"""From times to figures: pure functions over numbers.

A run's time is start-up plus records times the cost of one. So the *steady* cost of a record is the
difference of two runs of one round, a large and a small one, by the difference of their records:
measured from outside, alike for every system, and start and end cancel out. A *ratio* is that of
two systems within one round, and the figure is the median over the rounds. Its *noise* is the 95 %
interval of that median under resampling of the rounds (the bootstrap, percentiles, a fixed seed).
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

RESAMPLES: Final = 2_000
LEAST_ROUNDS: Final = 3
"""With fewer rounds nothing is said about noise."""
_SHARE: Final = 0.95


@dataclass(frozen=True)
class Figure:
    """A median, and the ends of its noise band; both are None where too few rounds tell."""

    value: float
    low: float | None
    high: float | None
    rounds: int

    def scaled(self, factor: float) -> Figure:
        """Give the same in another unit."""
        low, high = (None if end is None else end * factor for end in (self.low, self.high))
        return Figure(self.value * factor, low, high, self.rounds)

    def inverted(self) -> Figure:
        """Give one by it: a rate of a cost. Of positive figures only."""
        low, high = (None if end is None else 1 / end for end in (self.high, self.low))
        return Figure(1 / self.value, low, high, self.rounds)


def figure(values: Sequence[float]) -> Figure | None:
    """Give the median of one value a round, with its noise; None of no values."""
    if not values:
        return None
    middle = statistics.median(values)
    if len(values) < LEAST_ROUNDS:
        return Figure(middle, None, None, len(values))
    rng = random.Random(0)
    medians = sorted(
        statistics.median(rng.choices(values, k=len(values))) for _ in range(RESAMPLES)
    )
    cut = round(RESAMPLES * (1 - _SHARE) / 2)
    return Figure(middle, medians[cut], medians[-1 - cut], len(values))


def steady_costs(
    large: Sequence[float], small: Sequence[float], more_records: int
) -> list[float | None]:
    """Give the seconds of one record, round by round.

    None where the larger run took no longer than the smaller: there was nothing but noise.
    """
    differences = (big - little for big, little in zip(large, small, strict=True))
    return [gap / more_records if gap > 0 else None for gap in differences]


def paired_ratios(above: Sequence[float | None], below: Sequence[float | None]) -> list[float]:
    """Give `above` by `below`, round by round, of those rounds that have both."""
    pairs = zip(above, below, strict=True)
    return [a / b for a, b in pairs if a is not None and b is not None]
