"""The states of the nodes, and the key by which each is partitioned."""

from __future__ import annotations

from sk_kernel import state

from sk_fundload.domain import NO_WEEK, RecentIds, WeekWindow
from sk_fundload.messages import LoadAttempt


@state(key=None)
class NewestDay:
    """The newest UTC day read so far. Only used with a retention."""

    def __init__(self) -> None:
        self.day = 0


@state(key="id")
class FirstAttempts:
    """The first attempt with each id."""

    def __init__(self) -> None:
        self.by_id: dict[str, LoadAttempt] = {}

    def retain(self, days: int) -> None:
        """Delete attempts that no attempt in time can refer to; called before the first attempt."""
        self.by_id = RecentIds(days)


@state(key="customer_id")
class CustomerWindows:
    """The windows of each customer. Only ``update_windows`` writes here.

    ``weeks`` maps a week's first day to the windows by customer. Input is mostly in the order of
    time, so that successive records use windows that are close in memory and in the processor's
    cache, however many weeks there are. Every record has its own string for the customer's id:
    ``names`` has the one string per customer that all weeks share.
    """

    def __init__(self) -> None:
        self.weeks: dict[int, dict[str, WeekWindow]] = {}
        self.names: dict[str, str] = {}
        self._named = 0

    def begin(self, week: int, customer: str) -> WeekWindow:
        """Create and return the window of a customer who has none in a week yet."""
        customer = self.names.setdefault(customer, customer)
        window = self.weeks.setdefault(week, {})[customer] = NO_WEEK.copy()
        return window

    def forget_before(self, day: int) -> None:
        """Drop weeks that end before a day; drop unused names, but only if there may be many."""
        for old in [first for first in self.weeks if first + 6 < day]:
            del self.weeks[old]
        if len(self.names) > 2 * self._named:
            left = {name: name for each in self.weeks.values() for name in each}
            self.names.clear()
            self.names.update(left)
            self._named = len(left)


@state(key=None)
class PrimeDays:
    """The number of accepted prime ids on each UTC day, over all customers."""

    def __init__(self) -> None:
        self.by_day: dict[int, int] = {}

    def forget_before(self, day: int) -> None:
        """Drop all days before ``day``."""
        for old in [each for each in self.by_day if each < day]:
            del self.by_day[old]
