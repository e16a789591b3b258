"""The states: what outlives a record, and the key that each is partitioned by."""

from __future__ import annotations

from sk_kernel import state

from sk_fundload.domain import DayWindow, RecentIds
from sk_fundload.messages import LoadAttempt


@state(key=None)
class NewestDay:
    """The newest UTC day that was read so far. Asked for with a retention alone."""

    def __init__(self) -> None:
        self.day = 0


@state(key="id")
class FirstAttempts:
    """The first attempt with each id."""

    def __init__(self) -> None:
        self.by_id: dict[str, LoadAttempt] = {}

    def retain(self, days: int) -> None:
        """Forget from now on what no attempt in time can meet any more; before the first one."""
        self.by_id = RecentIds(days)


@state(key="customer_id")
class CustomerWindows:
    """The windows of each customer. ``update_windows`` alone writes here.

    ``days`` holds them by UTC day, then by customer; ``weeks`` the accepted cents (effective) by a
    week's first day, then by customer. Input comes about in the order of time, so that what it
    touches lies together, and the processor finds it in its cache however many days there are.
    Every record brings a text of its own: ``names`` has the one for each customer that all share.
    """

    def __init__(self) -> None:
        self.days: dict[int, dict[str, DayWindow]] = {}
        self.weeks: dict[int, dict[str, int]] = {}
        self.names: dict[str, str] = {}
        self._named = 0

    def forget_before(self, day: int) -> None:
        """Drop what lies before a day altogether; names of nobody only when there may be many."""
        for old in [each for each in self.days if each < day]:
            del self.days[old]
        for old in [first for first in self.weeks if first + 6 < day]:
            del self.weeks[old]
        if len(self.names) > 2 * self._named:
            left = {name: name for each in self.days.values() for name in each}
            self.names.clear()
            self.names.update(left)
            self._named = len(left)


@state(key=None)
class PrimeDays:
    """How many prime ids were accepted on each UTC day, over all customers."""

    def __init__(self) -> None:
        self.by_day: dict[int, int] = {}

    def forget_before(self, day: int) -> None:
        """Drop the days before a day."""
        for old in [each for each in self.by_day if each < day]:
            del self.by_day[old]
