"""The states: what outlives a record, and the key that each is partitioned by."""

from __future__ import annotations

from sk_kernel import state

from sk_fundload.domain import NO_WEEK, RecentIds, WeekWindow
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

    ``weeks`` holds them by a week's first day, then by customer. Input comes about in the order of
    time, so that what it touches lies together, and the processor finds it in its cache however
    many weeks there are. Every record brings a text of its own: ``names`` has the one for each
    customer that all weeks share.
    """

    def __init__(self) -> None:
        self.weeks: dict[int, dict[str, WeekWindow]] = {}
        self.names: dict[str, str] = {}
        self._named = 0

    def begin(self, week: int, customer: str) -> WeekWindow:
        """Give the window of a customer who has none in a week yet."""
        customer = self.names.setdefault(customer, customer)
        window = self.weeks.setdefault(week, {})[customer] = NO_WEEK.copy()
        return window

    def forget_before(self, day: int) -> None:
        """Drop weeks that end before a day; names of nobody only when there may be many."""
        for old in [first for first in self.weeks if first + 6 < day]:
            del self.weeks[old]
        if len(self.names) > 2 * self._named:
            left = {name: name for each in self.weeks.values() for name in each}
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
