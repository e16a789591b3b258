"""Seconds of one machine beside those of another: at the pace of the one that targets were set on.

The specification says what its own hand-written loop did there. A row of seconds says how fast the
same loop is here, and what the figure comes to at the other pace; the verdict is on what was found.
"""

from __future__ import annotations

from typing import Final

from bench_figures import Figure
from bench_results import Results
from bench_targets import Question

SET_AT: Final = 279_000
"""Records a second of the specification's `H` when the targets were set, inside, of a million."""
HAND: Final = ("spec_hand", "hand_loop")
"""What is that loop here: the program itself, where there is one, or else ours, which does more."""
_RECORDS: Final = 1_000_000


def at_pace(ask: Question, unit: str, *, is_rate: bool = False) -> Question:
    """Ask the same, and say beside it what that comes to where `H` has the pace of the targets."""

    def asked(results: Results) -> tuple[Figure | None, str]:
        found, on = ask(results)
        pace = pace_of(results)
        if found is None or pace is None:
            return found, on
        value = found.value / pace if is_rate else found.value * pace
        told = f"{value:,.0f}" if is_rate else f"{value:.2f}"
        return found, f"{on}; H has {pace:.2f} of the pace that this was set at, so {told} {unit}"

    return asked


def pace_of(results: Results) -> float | None:
    """Give how fast `H` is here by what it was there; None where it did not run that far."""
    for name in HAND:
        if rate := results.inside_rate(name, _RECORDS):
            return rate.value / SET_AT
    return None
