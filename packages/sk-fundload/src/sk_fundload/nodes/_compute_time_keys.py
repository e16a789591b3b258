"""The UTC day and the week of an attempt."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sk_kernel import node

from sk_fundload.domain import DAY, Weekday, week_start, weekday_index
from sk_fundload.messages import LoadAttempt, Timed


class TimeKeySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first day of a week."""

    week_start: Weekday = "monday"


@node(name="compute_time_keys", stage="features", tags=("time",))
class ComputeTimeKeys:
    """Add the day, and the first day of the week, of an attempt's instant."""

    def __init__(self, settings: TimeKeySettings) -> None:
        self._first_weekday = weekday_index(settings.week_start)
        # A cache: the keys of the last day, and its bounds as instants. Successive attempts are
        # mostly of the same day, and a division would cost more than all other work here.
        self._begin = self._end = self._day = self._week = 0

    def __call__(self, attempt: LoadAttempt) -> Timed:
        """Add both keys."""
        return self.process_batch((attempt,))[0]

    def process_batch(self, attempts: Sequence[LoadAttempt]) -> list[Timed]:
        """Add both keys to each."""
        timed: list[Timed] = []
        add = timed.append
        begin, end, day, week = self._begin, self._end, self._day, self._week
        for attempt in attempts:
            if not begin <= attempt.instant < end:
                self._turn_to(attempt.instant // DAY)
                begin, end, day, week = self._begin, self._end, self._day, self._week
            add(Timed(attempt.id, attempt, day, week))
        return timed

    def _turn_to(self, days: int) -> None:
        self._begin, self._end = days * DAY, (days + 1) * DAY
        self._day = days + 1
        self._week = week_start(self._day, self._first_weekday)
