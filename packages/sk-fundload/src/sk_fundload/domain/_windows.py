"""What is remembered of a customer's week: one list of integers.

    [attempts on each of its seven days, accepted cents on each, accepted cents of the week]

A day is found by its distance from the week's first one. A list, since nothing that Python can
change is read and written faster, and one for the week, since it is met where a limit of the day is
asked for as well as where the week's is: so a record looks a customer up once for all three.
"""

from __future__ import annotations

from typing import Final, TypeAlias

WeekWindow: TypeAlias = list[int]

DAY_SUMS: Final = 7
"""Where the accepted cents (effective) of the first day are; canonical attempts begin at 0."""

WEEK_SUM: Final = 14
"""Where the accepted cents (effective) of the whole week are."""

NO_WEEK: Final[WeekWindow] = [0] * (WEEK_SUM + 1)
"""Stands for a week without attempts. Nothing writes to it."""
