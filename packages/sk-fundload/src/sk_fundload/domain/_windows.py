"""The window of a customer's week: one list of integers.

    [attempts on each of its seven days, accepted cents on each, accepted cents of the week]

A day's index is its distance from the week's first day. The window is a list because no mutable
type of Python is faster to read and write. One list holds the whole week so that a record needs
only one look-up of its customer for the limits of the day and of the week.
"""

from __future__ import annotations

from typing import Final, TypeAlias

WeekWindow: TypeAlias = list[int]

DAY_SUMS: Final = 7
"""Index of the accepted (effective) cents of the first day; canonical attempts begin at 0."""

WEEK_SUM: Final = 14
"""Index of the accepted (effective) cents of the whole week."""

NO_WEEK: Final[WeekWindow] = [0] * (WEEK_SUM + 1)
"""The window of a week without attempts. Never modified."""
